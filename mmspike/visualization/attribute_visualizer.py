"""The visualizer of attribute recognisers: one picture per person, to a file or to the visual back ends."""
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmengine.dist import master_only
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmspike.analysis import HeatMap, HeatMapRecorder
from mmspike.registry import VISUALIZERS
from mmspike.structures import attribute_names
from mmspike.visualization.attribute_panel import attribute_panel, input_pictures
from mmspike.visualization.figure_visualizer import FigureVisualizer
from mmspike.visualization.page import to_rgb
from mmspike.visualization.scale_chart import scale_chart


@VISUALIZERS.register_module()
class AttributeVisualizer(FigureVisualizer):
    """Draws what :func:`~mmspike.visualization.attribute_panel` draws for one sample of a data set.

    Names and groups are taken from ``dataset_meta``, which the runner sets from the data set.

    Args:
        name, *args, **kwargs: Of mmengine's ``Visualizer``.
        threshold: Above this score an attribute counts as predicted.
    """

    def __init__(self, name: str = 'visualizer', *args, threshold: float = 0.5, **kwargs) -> None:
        super().__init__(name, *args, **kwargs)
        self.threshold = threshold

    @contextmanager
    def observe(self, model: nn.Module) -> Iterator[Callable[[int, int], dict]]:
        """Each image's own map of activity."""
        with HeatMapRecorder(model) as recorder:
            yield lambda index, count: dict(heat=recorder.of(index))

    @master_only
    def add_datasample(self, name: str, image: Tensor, data_sample: DataSample | None = None, *,
                       heat: HeatMap | None = None, out_file: str | Path | None = None, step: int = 0) -> None:
        """Draw one sample.

        Args:
            name: Title of the picture and its name in the back ends.
            image: uint8 BGR, [3, H, W], as the data loader gives it.
            data_sample: Its ``pred_score`` and ``gt_score``, where set, become bars and marks.
            heat: Where the model was active.
            out_file: Picture file to write; ``None`` hands the picture to the back ends instead.
            step: Step under which the back ends file the picture.
        """
        scores, truth = (None if data_sample is None or key not in data_sample
                         else data_sample.get(key).detach().float().cpu().numpy() for key in ('pred_score', 'gt_score'))
        count = next((len(values) for values in (scores, truth) if values is not None), 0)
        figure = attribute_panel(input_pictures(to_rgb(image), heat), *attribute_names(self.dataset_meta, count),
                                 scores=scores, truth=truth, threshold=self.threshold, title=name)
        self.add_figure(name, figure, out_file, step)

    @master_only
    def add_scale_weights(self, history: Sequence, groups: Sequence[str], out_file: str | Path | None = None,
                          step: int = 0) -> None:
        """Draw the course of the weights of the scales.

        Args:
            history: Epoch and weights [G][S] of each of them.
            groups: Names of the G groups.
            out_file: Picture file to write; ``None`` hands the picture to the back ends instead.
            step: Step under which the back ends file the picture.
        """
        self.add_figure('scale_weights', scale_chart(history, groups), out_file, step)
