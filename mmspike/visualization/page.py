"""A figure addressed in inches from its top left corner, so that pictures keep their size whatever is beside them."""
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.textpath import TextPath
from torch import Tensor

INK, MUTED, EDGE = '#1f2430', '#6b7280', '#c9ced6'
MARGIN = 0.35  # inches


class Page:
    """An empty white page; no pyplot, hence no global state and no window.

    Args:
        width: Inches.
        height: Inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), dpi=110, facecolor='white')

    def axes(self, x: float, y: float, w: float, h: float) -> Axes:
        """Axes without edges and ticks."""
        axes = self.figure.add_axes((x / self.width, 1 - (y + h) / self.height, w / self.width, h / self.height))
        axes.set_xticks([])
        axes.set_yticks([])
        for edge in axes.spines.values():
            edge.set_visible(False)
        return axes

    def image(self, x: float, y: float, w: float, h: float, pixels: np.ndarray, **style) -> AxesImage:
        """A picture with a thin edge, stretched to the given size; ``style`` goes to matplotlib's ``imshow``."""
        axes = self.axes(x, y, w, h)
        for edge in axes.spines.values():
            edge.set(visible=True, color=EDGE)
        return axes.imshow(pixels, aspect='auto', **style)

    def text(self, x: float, y: float, words: str, **style) -> None:
        """Words whose baseline starts at a point; ``style`` goes to matplotlib."""
        self.figure.text(x / self.width, 1 - y / self.height, words, **style)


def to_array(figure: Figure) -> np.ndarray:
    """Render a figure to uint8 RGB, [H, W, 3]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def to_rgb(image: Tensor) -> np.ndarray:
    """An image as the data loader gives it, BGR [3, H, W], for drawing: RGB [H, W, 3]."""
    return image.flip(0).permute(1, 2, 0).contiguous().cpu().numpy()


def text_width(words: str, size: float, **font) -> float:
    """Inches that words take in points of ``size``; ``font`` goes to matplotlib's ``FontProperties``."""
    if not words.strip():
        return 0.
    return TextPath((0, 0), words, size=size, prop=FontProperties(**font)).get_extents().x1 / 72


def shared_prefix(names: Iterable[str]) -> tuple[str, list[str]]:
    """The dotted path that all names share, and what is left of each: at least its last part, never a bare number."""
    parts = [name.split('.') for name in names]
    shared = 0
    while all(len(part) > shared + 1 for part in parts) and len({part[shared] for part in parts}) == 1:
        shared += 1
    if shared and any(part[shared].isdigit() for part in parts):
        shared -= 1
    return '.'.join(parts[0][:shared]), ['.'.join(part[shared:]) for part in parts]


def shorten(words: str, length: int = 24) -> str:
    """Words cut to a length, with an ellipsis where something is missing."""
    return words if len(words) <= length else words[:length - 1] + '…'
