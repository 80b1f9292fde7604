"""Pictures of validated and tested clips, with the spike rates of the very forward that gave the answer."""
from pathlib import Path

from mmaction.structures import ActionDataSample
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmspike.analysis import SpikeRecorder
from mmspike.registry import HOOKS


@HOOKS.register_module()
class ActionVisualizationHook(Hook):
    """Draw every ``interval``-th clip of a validation or a test.

    The rates are averages over the batch that the clip is in; test with a batch of one for the rates of one clip.

    Args:
        enable: Whether to draw at all.
        interval: Draw the first clip and every ``interval``-th after it.
        out_dir: Folder for the pictures, ``<video>_<sample>[_epoch<n>].png``; ``None`` hands them to the
            visualizer's back ends.
        topk: Classes to list.

    Raises:
        ValueError: ``interval`` is not positive.
    """

    def __init__(self, enable: bool = False, interval: int = 50, out_dir: str | None = None, topk: int = 5) -> None:
        if interval < 1:
            raise ValueError(f'ActionVisualizationHook: interval={interval}; expected 1 (every clip) or more')
        self.enable = enable
        self.interval = interval
        self.out_dir = out_dir
        self.topk = topk
        self._seen = 0  # clips of this epoch before the current batch
        self._recorder: SpikeRecorder | None = None

    def before_val_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def before_test_epoch(self, runner: Runner) -> None:
        self._seen = 0

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        self._watch(runner, data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        self._watch(runner, data_batch)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                       outputs: list[ActionDataSample] | None = None) -> None:
        self._draw(runner, data_batch, outputs, f'_epoch{runner.epoch}', runner.epoch)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                        outputs: list[ActionDataSample] | None = None) -> None:
        self._draw(runner, data_batch, outputs, '', 0)

    def _picks(self, data_batch: dict) -> range:
        return range(-self._seen % self.interval, len(data_batch['inputs']), self.interval)

    def _watch(self, runner: Runner, data_batch: dict) -> None:
        if self.enable and self._picks(data_batch):
            self._recorder = SpikeRecorder(_unwrap(runner.model))
            self._recorder.__enter__()  # left in _draw: the forward lies between two calls of this hook

    def _draw(self, runner: Runner, data_batch: dict, outputs: list[ActionDataSample], suffix: str, step: int) -> None:
        if not self.enable:
            return
        picks = self._picks(data_batch)
        count = len(data_batch['inputs'])
        if self._recorder is not None:
            self._recorder.__exit__(None, None, None)
        stride = getattr(getattr(_unwrap(runner.model), 'backbone', None), 'stride', 1)
        for i in picks:
            sample = outputs[i]
            name = f"{Path(sample.get('filename', 'clip')).stem}_{sample.get('sample_idx', self._seen + i)}"
            out_file = Path(self.out_dir) / f'{name}{suffix}.png' if self.out_dir is not None else None
            runner.visualizer.add_datasample(
                name, data_batch['inputs'][i], sample, stride=stride, rates=self._recorder.rates,
                rates_note=f'mean of a batch of {count}' if count > 1 else '', topk=self.topk, out_file=out_file,
                step=step)
        self._recorder = None
        self._seen += count


def _unwrap(model):
    return model.module if is_model_wrapper(model) else model
