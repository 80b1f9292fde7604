"""What the visualizers of all tasks share: a matplotlib figure to a file or to the visual back ends."""
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from matplotlib.figure import Figure
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from torch import nn

from mmspike.visualization.page import to_array


class FigureVisualizer(Visualizer):
    """Base of the tasks' visualizers. A task adds ``add_datasample(name, inputs, data_sample, *, out_file, step)``.

    :class:`~mmspike.engine.hooks.VisualizationHook` runs a batch inside :meth:`observe`, and hands what that yields on
    to ``add_datasample``.
    """

    def observe(self, model: nn.Module) -> AbstractContextManager[Callable[[int, int], dict]]:
        """Watch a forward; what it gives, called with a sample's place in the batch and the batch's size, returns
        further arguments for ``add_datasample``.
        """
        return nullcontext(lambda index, count: {})

    @master_only
    def add_figure(self, name: str, figure: Figure, out_file: str | Path | None = None, step: int = 0) -> None:
        """Keep a figure.

        Args:
            name: Its name in the back ends.
            figure: The figure.
            out_file: Picture file to write (its ending chooses the format); ``None`` hands the picture to the back
                ends instead.
            step: Step under which the back ends file the picture.
        """
        if out_file is None:
            self.add_image(name, to_array(figure), step)
        else:
            Path(out_file).parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(out_file)
