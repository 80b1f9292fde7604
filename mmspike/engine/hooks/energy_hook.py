"""The metric of energy is shown the model that it is to count."""
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmspike.analysis import EnergyMetric
from mmspike.registry import HOOKS

from .unwrap import unwrap


@HOOKS.register_module()
class EnergyHook(Hook):
    """Hands the model to each ``EnergyMetric`` of a test, and of a validation, before it begins."""

    def before_test_epoch(self, runner: Runner) -> None:
        for metric in _metrics(runner.test_loop):
            metric.watch(unwrap(runner.model))

    def before_val_epoch(self, runner: Runner) -> None:
        for metric in _metrics(runner.val_loop):
            metric.watch(unwrap(runner.model))

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        for metric in _metrics(runner.test_loop):  # only the main process computes figures, and stops by itself
            metric.stop()

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        for metric in _metrics(runner.val_loop):
            metric.stop()


def _metrics(loop: object) -> list[EnergyMetric]:
    metrics = getattr(getattr(loop, 'evaluator', None), 'metrics', [])
    return [metric for metric in metrics if isinstance(metric, EnergyMetric)]
