"""Pictures of where one attribute is seen: images side by side, each with the response, the box found, the true one.

Drawing only: arrays in, a matplotlib ``Figure`` out.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmspike.visualization.page import INK, MARGIN, MUTED, Page

FOUND, TRUE = '#ffd23f', '#3ddc84'
_HIGH, _GAP, _TOP = 2.8, 0.3, 0.85  # inches


@dataclass
class Located:
    """One image.

    Args:
        pixels: uint8 RGB, [H, W, 3].
        response: 0 or more, [H, W].
        found: Box found, ``[x1, y1, x2, y2]`` in pixels, or None.
        true: Annotated box, or None.
        words: Under the picture.
    """

    pixels: np.ndarray
    response: np.ndarray
    found: np.ndarray | None = None
    true: np.ndarray | None = None
    words: str = ''


def localization_panel(attribute: str, images: Sequence[Located], words: str = '') -> Figure:
    """Draw where an attribute is seen.

    Args:
        attribute: Its name.
        images: One or more.
        words: Second line of the picture.
    """
    widths = [_HIGH * image.pixels.shape[1] / image.pixels.shape[0] for image in images]
    page = Page(max(sum(widths) + _GAP * (len(images) - 1), 4.2) + 2 * MARGIN, _TOP + _HIGH + 0.75)
    page.text(MARGIN, 0.36, attribute, size=12, weight='bold', color=INK)
    page.text(MARGIN, 0.62, words, size=8, color=MUTED)
    x = MARGIN
    for image, width in zip(images, widths, strict=True):
        height, columns = image.pixels.shape[:2]
        axes = page.image(x, _TOP, width, _HIGH, image.pixels, extent=(0, columns, height, 0)).axes
        strongest = image.response.max(initial=0) or 1
        axes.imshow(image.response, cmap='inferno', alpha=0.75 * np.sqrt(image.response / strongest), aspect='auto',
                    extent=(0, columns, height, 0))
        _box(axes, image.true, TRUE, '--')
        _box(axes, image.found, FOUND, '-')
        page.text(x, _TOP + _HIGH + 0.2, image.words, size=7.5, color=MUTED)
        x += width + _GAP
    page.text(MARGIN, page.height - 0.2, 'bright: response;  solid box: found;  dashed box: annotated', size=8,
              color=MUTED)
    return page.figure


def _box(axes: Axes, box: np.ndarray | None, colour: str, style: str) -> None:
    if box is not None and not np.isnan(box).any():
        axes.add_patch(Rectangle(box[:2], *(box[2:] - box[:2]), fill=False, edgecolor=colour, linewidth=1.8,
                                 linestyle=style))
