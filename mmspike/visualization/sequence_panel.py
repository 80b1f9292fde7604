"""One picture of a person and of the sequence that a model writes of it: what, how sure, and where it looked."""
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from mmspike.visualization.page import INK, MARGIN, MUTED, Page, shorten, text_width

WRONG, SURE = '#c0392b', '#2f6db5'
# Inches
_TALL, _COLUMN, _TOP, _GAP, _WORDS, _BAR = 2.2, 1.25, 0.78, 0.3, 0.62, 0.07
_ROW = 8  # steps side by side
_LOOK = ListedColormap([(*colormaps['inferno'](0.25 + 0.75 * x)[:3], 0.85 * x**0.7) for x in np.linspace(0, 1, 256)])


@dataclass(frozen=True)
class Step:
    """One token of a sequence.

    Args:
        name: of the attribute, or 'end'.
        probability: that it was the next one.
        look: where the decoder looked, [h, w], stretched over the picture; None draws the picture alone.
        right: whether the label agrees; None where it is unknown.
    """

    name: str
    probability: float
    look: np.ndarray | None = None
    right: bool | None = None


def sequence_panel(pixels: np.ndarray, steps: Sequence[Step], *, title: str = '', missed: Sequence[str] = ()) -> Figure:
    """Draw a person and, step by step, what was written of it.

    Args:
        pixels: uint8 RGB, [H, W, 3], as the model saw it.
        steps: in the order in which they came.
        title: First line of the picture.
        missed: attributes that the person has and the sequence lacks; named below.
    """
    height, width = pixels.shape[:2]
    scale = min(_TALL / height, _COLUMN / width)
    w, h = width * scale, height * scale
    column = max(w, _COLUMN) + _GAP
    rows = max(1, math.ceil(len(steps) / _ROW))
    across = 1 + min(max(len(steps), 1), _ROW)
    foot = textwrap.wrap(f'missed: {", ".join(missed)}', 15 * across) if missed else []
    wide = max(across * column - _GAP, text_width(title, 12, weight='bold'))
    legend = textwrap.wrap('bar: probability of this token at its step; bright: where the decoder looked',
                           int(wide / 0.06))
    row_h = h + _WORDS + 0.2
    page = Page(wide + 2 * MARGIN, _TOP + rows * row_h + 0.2 * len(foot) + 0.14 * len(legend) + 0.16)
    page.text(MARGIN, 0.36, title, size=12, weight='bold', color=INK)
    page.text(MARGIN, _TOP - 0.08, f'model input {width}x{height}', size=8, color=MUTED)
    page.image(MARGIN, _TOP, w, h, pixels)
    for number, step in enumerate(steps):
        row, place = divmod(number, _ROW)
        _draw_step(page, step, number, pixels, MARGIN + (1 + place) * column, _TOP + row * row_h, w, h)
    for line, words in enumerate(foot):
        page.text(MARGIN, _TOP + rows * row_h + 0.1 + 0.2 * line, words, size=9, color=WRONG)
    for line, words in enumerate(reversed(legend)):
        page.text(MARGIN, page.height - 0.15 - 0.14 * line, words, size=7, color=MUTED)
    return page.figure


def _draw_step(page: Page, step: Step, number: int, pixels: np.ndarray, x: float, y: float, w: float,
               h: float) -> None:
    page.text(x, y - 0.08, f'{number + 1}', size=8, color=MUTED)
    if step.look is None:
        page.image(x, y, w, h, pixels)
    else:
        image = page.image(x, y, w, h, pixels.mean(-1), cmap='gray', vmin=0, vmax=255)
        image.axes.imshow(step.look, cmap=_LOOK, vmin=0, vmax=max(float(step.look.max()), 1e-12),
                          interpolation='bilinear', aspect='auto', extent=image.get_extent())
    bar = page.axes(x, y + h + 0.07, _COLUMN, _BAR)
    bar.set(xlim=(0, 1), ylim=(0, 1))
    bar.barh(0.5, 1, height=1, color='#e6eaf0')
    bar.barh(0.5, step.probability, height=1, color=WRONG if step.right is False else SURE)
    words = f'{shorten(step.name, 17)}'
    page.text(x, y + h + 0.33, words, size=9, weight='bold', color=WRONG if step.right is False else INK)
    page.text(x, y + h + 0.5, f'{100 * step.probability:.0f} %', size=8, color=MUTED)
