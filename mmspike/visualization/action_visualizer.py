"""The visualizer of action recognisers: one picture per clip, to a file or to the visual back ends."""
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mmaction.structures import ActionDataSample
from mmengine.dist import master_only
from torch import Tensor, nn

from mmspike.analysis import SpikeRecorder
from mmspike.registry import VISUALIZERS
from mmspike.visualization.clip_panel import clip_panel
from mmspike.visualization.figure_visualizer import FigureVisualizer


@VISUALIZERS.register_module()
class ActionVisualizer(FigureVisualizer):
    """Draws what :func:`~mmspike.visualization.clip_panel` draws for one sample of a dataset.

    Class names are taken from ``dataset_meta['classes']``, which the runner sets from the dataset.

    Args:
        name, *args, **kwargs: Of mmengine's ``Visualizer``.
        topk: Classes to list.
    """

    def __init__(self, name: str = 'visualizer', *args, topk: int = 5, **kwargs) -> None:
        super().__init__(name, *args, **kwargs)
        self.topk = topk

    @contextmanager
    def observe(self, model: nn.Module) -> Iterator[Callable[[int, int], dict]]:
        """Spike rates, averages over the batch: test with a batch of one for the rates of one clip."""
        stride = getattr(getattr(model, 'backbone', None), 'stride', 1)
        with SpikeRecorder(model) as recorder:
            yield lambda index, count: dict(stride=stride, rates=recorder.rates,
                                            rates_note=f'mean of a batch of {count}' if count > 1 else '')

    @master_only
    def add_datasample(self, name: str, views: Tensor, data_sample: ActionDataSample | None = None, *, stride: int = 1,
                       rates: Mapping[str, Tensor] | None = None, rates_note: str = '',
                       out_file: str | Path | None = None, step: int = 0) -> None:
        """Draw the first view of one sample.

        Args:
            name: Title of the picture and its name in the back ends.
            views: uint8 RGB, [V, T, H, W, 3], as the data loader gives them.
            data_sample: Its ``pred_scores`` and ``gt_labels``, where set, become the bars.
            stride: Frames per group (the first of each is its key frame).
            rates: Layer name -> share of neurons that fire, one value per time step.
            rates_note: What the rates are an average of.
            out_file: Picture file to write; ``None`` hands the picture to the back ends instead.
            step: Step under which the back ends file the picture.
        """
        scores = truth = None
        title = name
        if data_sample is not None:
            if 'pred_scores' in data_sample:
                scores = data_sample.pred_scores.item.detach().float().cpu().numpy()
            if 'gt_labels' in data_sample and int(data_sample.gt_labels.item[0]) >= 0:
                truth = int(data_sample.gt_labels.item[0])
            if data_sample.get('unreadable'):
                title += ' (could not be read: placeholder frames)'
        classes = (self.dataset_meta or {}).get('classes')
        if len(views) > 1:
            title += f', view 1 of {len(views)}'
        figure = clip_panel(views[0].cpu().numpy(), stride, scores=scores, classes=classes, truth=truth, rates=rates,
                            rates_note=rates_note, title=title, topk=self.topk)
        self.add_figure(name, figure, out_file, step)
