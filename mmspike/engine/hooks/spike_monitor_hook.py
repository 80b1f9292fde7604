"""How often neurons fire while a model trains."""
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmspike.analysis import SpikeStatistics
from mmspike.registry import HOOKS

from .unwrap import unwrap


@HOOKS.register_module()
class SpikeMonitorHook(Hook):
    """Every so many iterations, rates and shares of dead and saturated channels of that iteration.

    A population that falls silent gets no gradient past its surrogate's width, one that always fires says nothing:
    both are seen here long before the accuracy shows it. Written to all of the visualizer's back ends (TensorBoard,
    ``scalars.json``) as ``spikes/rate``, ``spikes/dead``, ``spikes/saturated`` over all neurons, and with
    ``per_layer`` as ``spikes_rate/NAME`` and so on; the log gets a line with the extremes. Sums are taken over all
    processes. What it costs: ``benchmarks/spike_monitor.py``.

    Args:
        interval: iterations.
        per_layer: also write a curve for each population of neurons.
    """

    def __init__(self, interval: int = 50, per_layer: bool = True) -> None:
        if interval < 1:
            raise ValueError(f'SpikeMonitorHook: interval={interval}; expected at least 1 iteration.')
        self.interval, self.per_layer = interval, per_layer
        self._statistics: SpikeStatistics | None = None

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        if self.every_n_train_iters(runner, self.interval):
            self._statistics = SpikeStatistics(unwrap(runner.model)).__enter__()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        if self._statistics is None:
            return
        statistics, self._statistics = self._statistics, None
        statistics.__exit__(None, None, None)
        found = statistics.results()
        if found and is_main_process():
            self._tell(runner, found)

    def _tell(self, runner: Runner, found: dict) -> None:
        def mean(what: str) -> float:
            return sum(getattr(entry, what) for entry in found.values()) / len(found)

        whats = ('rate', 'dead', 'saturated')
        scalars = {f'spikes/{what}': mean(what) for what in whats}
        if self.per_layer:
            scalars |= {f'spikes_{what}/{name}': getattr(entry, what) for name, entry in found.items()
                        for what in whats}
        step = runner.iter + 1
        runner.visualizer.add_scalars(dict(scalars, iter=step), step=step)
        rates = {name: entry.rate for name, entry in found.items()}
        low, high, dead = min(rates, key=rates.get), max(rates, key=rates.get), max(found, key=lambda n: found[n].dead)
        print_log(f'Spikes at iteration {step}: rate {mean("rate"):.4f} (from {rates[low]:.4f} in {low} to '
                  f'{rates[high]:.4f} in {high}), dead channels {100 * mean("dead"):.1f} % (most in {dead}, '
                  f'{100 * found[dead].dead:.1f} %), saturated {100 * mean("saturated"):.1f} %', 'current')
