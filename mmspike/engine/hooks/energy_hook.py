"""The metric of energy is shown the model that it is to count."""
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmspike.analysis import EnergyMetric
from mmspike.analysis.energy.provenance import provenance
from mmspike.registry import HOOKS

from .unwrap import unwrap


@HOOKS.register_module()
class EnergyHook(Hook):
    """Hands the model to each ``EnergyMetric`` of a test, and of a validation, before it begins."""

    def before_test_epoch(self, runner: Runner) -> None:
        for metric in _metrics(runner.test_loop):
            metric.watch(unwrap(runner.model), _facts(runner))

    def before_val_epoch(self, runner: Runner) -> None:
        for metric in _metrics(runner.val_loop):
            metric.watch(unwrap(runner.model))

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        for metric in _metrics(runner.test_loop):  # only the main process computes figures, and stops by itself
            metric.stop()

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        for metric in _metrics(runner.val_loop):
            metric.stop()


def _facts(runner: Runner) -> dict[str, str]:
    """What is tested. Weights that were fetched from an address have no file of which a hash could be given."""
    weights = runner._load_from
    file = weights if weights and Path(weights).is_file() else None
    facts = provenance(runner.cfg.filename or 'given in a program', file, 'test', None, runner.cfg)
    return facts | ({'checkpoint': str(weights)} if weights and not file else {})


def _metrics(loop: object) -> list[EnergyMetric]:
    metrics = getattr(getattr(loop, 'evaluator', None), 'metrics', [])
    return [metric for metric in metrics if isinstance(metric, EnergyMetric)]
