"""Pictures of validated and tested samples, with what the very forward that gave the answer showed."""
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from mmspike.registry import HOOKS

from .unwrap import unwrap


@HOOKS.register_module()
class VisualizationHook(Hook):
    """Draw every ``interval``-th sample of a validation or a test with the task's visualizer, ``visualizer`` of the
    config: a :class:`~mmspike.visualization.FigureVisualizer`, such as ``ActionVisualizer``.

    In a distributed run the visualizer writes on rank 0 alone, so that only the samples of that rank are drawn.

    Args:
        enable: Whether to draw at all.
        interval: Draw the first sample and every ``interval``-th after it.
        out_dir: Folder for the pictures, ``<file>_<sample>[_epoch<n>].png``; ``None`` hands them to the visualizer's
            back ends.

    Raises:
        ValueError: ``interval`` is not positive.
        TypeError: Pictures are asked for, and the visualizer cannot draw samples.
    """

    def __init__(self, enable: bool = False, interval: int = 50, out_dir: str | None = None) -> None:
        if interval < 1:
            raise ValueError(f'VisualizationHook: interval={interval}; expected 1 (every sample) or more')
        self.enable = enable
        self.interval = interval
        self.out_dir = out_dir
        self._seen = 0  # samples of this epoch before the current batch
        self._watching = ExitStack()
        self._observed: Callable[[int, int], dict] | None = None

    def before_run(self, runner: Runner) -> None:
        if self.enable and not hasattr(runner.visualizer, 'observe'):
            raise TypeError(f'VisualizationHook: the visualizer is a {type(runner.visualizer).__name__}, expected that '
                            "of a task. Set visualizer=dict(type='ActionVisualizer'), 'AttributeVisualizer', "
                            "'SequenceVisualizer' or 'PoseVisualizer'")

    def before_val_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def before_test_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        self._watch(runner, data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        self._watch(runner, data_batch)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                       outputs: list[BaseDataElement] | None = None) -> None:
        self._draw(runner, data_batch, outputs, f'_epoch{runner.epoch}', runner.epoch)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                        outputs: list[BaseDataElement] | None = None) -> None:
        self._draw(runner, data_batch, outputs, '', 0)

    def _picks(self, data_batch: dict) -> range:
        return range(-self._seen % self.interval, _count(data_batch['inputs']), self.interval)

    def _watch(self, runner: Runner, data_batch: dict) -> None:
        if self.enable and self._picks(data_batch):
            # Left in _draw: the forward lies between two calls of this hook
            self._observed = self._watching.enter_context(runner.visualizer.observe(unwrap(runner.model)))

    def _draw(self, runner: Runner, data_batch: dict, outputs: list[BaseDataElement], suffix: str, step: int) -> None:
        if not self.enable:
            return
        self._watching.close()
        count = _count(data_batch['inputs'])
        for i in self._picks(data_batch):
            sample = outputs[i]
            file = sample.get('filename') or sample.get('img_path') or sample.get('sequence') or 'sample'
            name = f"{Path(file).stem}_{sample.get('sample_idx', self._seen + i)}"
            out_file = Path(self.out_dir) / f'{name}{suffix}.png' if self.out_dir is not None else None
            runner.visualizer.add_datasample(name, _one_of(data_batch['inputs'], i), sample,
                                             **self._observed(i, count), out_file=out_file, step=step)
        self._observed = None
        self._seen += count


def _count(inputs: Sequence | Mapping[str, Sequence]) -> int:
    """Samples of a batch; a task with several inputs has a list of each, by name."""
    return len(next(iter(inputs.values())) if isinstance(inputs, Mapping) else inputs)


def _one_of(inputs: Sequence | Mapping[str, Sequence], i: int):
    return {name: values[i] for name, values in inputs.items()} if isinstance(inputs, Mapping) else inputs[i]
