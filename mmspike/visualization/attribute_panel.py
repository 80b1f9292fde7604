"""One picture of a person and of the attributes that a model sees in it.

Pictures, with a heat map where there is one | attributes by group, with scores and the truth.
Drawing only: arrays in, a matplotlib ``Figure`` out.
"""
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from mmspike.analysis import HeatMap
from mmspike.visualization.page import INK, MARGIN, MUTED, Page, shorten, text_width

SEEN, NOT_SEEN, WRONG, MISSED = '#2f6db5', '#cfd8e3', '#c0392b', '#eab8b1'
# Inches
_ROW, _HEADING, _GAP, _BAR, _SCORE, _MARK, _SCALE, _TOP = 0.22, 0.3, 0.32, 1.15, 0.5, 0.2, 0.85, 0.78
_COLUMN = 4.6  # about so high are the columns of attributes
_SIZE, _LONGEST = 9, 40  # points and letters of a name
# From nothing at all, so that the picture stays to be seen where the model was silent
_HEAT = ListedColormap([(*colormaps['inferno'](0.25 + 0.75 * x)[:3], 0.8 * x**0.5) for x in np.linspace(0, 1, 256)])


@dataclass
class Picture:
    """A picture beside the attributes.

    Args:
        pixels: uint8 RGB, [H, W, 3].
        heading: Words above it.
        heat: Drawn over it, stretched to its size; ``None`` draws the picture alone.
    """

    pixels: np.ndarray
    heading: str = ''
    heat: HeatMap | None = None


def input_pictures(pixels: np.ndarray, heat: HeatMap | None = None) -> list[Picture]:
    """A model's input, and the same under a heat map where there is one."""
    height, width = pixels.shape[:2]
    pictures = [Picture(pixels, f'model input {width}x{height}')]
    return pictures if heat is None else [*pictures, Picture(pixels, 'where it was active', heat)]


def attribute_panel(pictures: Sequence[Picture], names: Sequence[str], groups: Sequence[str], *,
                    scores: np.ndarray | None = None, truth: np.ndarray | None = None, threshold: float = 0.5,
                    title: str = '') -> Figure:
    """Draw a person with its attributes.

    Args:
        pictures: Side by side, such as the crop and the model's input under a heat map.
        names: Of the A attributes.
        groups: Of each attribute; attributes of a group are put together.
        scores: Probabilities [A]; ``None`` leaves the bars out.
        truth: Labels [A]: 1, 0, anything else is unknown; ``None`` leaves the marks out.
        threshold: Above it an attribute counts as predicted.
        title: First line of the picture.
    """
    sizes = _sizes(pictures)
    widths = [max(w, text_width(picture.heading, 8)) for picture, (w, _) in zip(pictures, sizes, strict=True)]
    height = max(h + (_SCALE if picture.heat is not None else 0.)
                 for picture, (_, h) in zip(pictures, sizes, strict=True))
    name_w = max(text_width(shorten(name, _LONGEST), _SIZE, weight='bold') for name in names) + 0.15
    column_w = (_MARK if truth is not None else 0.) + name_w + (_BAR + _SCORE if scores is not None else 0.)
    columns = _columns(groups)
    rows_h = max(map(_height, columns))
    legend = _legend(scores, truth, threshold)
    left = MARGIN + sum(widths) + _GAP * len(widths) + 0.15
    wide = max(left - MARGIN + len(columns) * (column_w + _GAP) - _GAP, text_width(title, 12, weight='bold'),
               left - MARGIN + text_width(legend, 8))
    page = Page(wide + 2 * MARGIN, _TOP + max(height, rows_h) + (0.4 if legend else 0.15))

    page.text(MARGIN, 0.36, title, size=12, weight='bold', color=INK)
    x = MARGIN
    for picture, size, width in zip(pictures, sizes, widths, strict=True):
        _draw_picture(page, picture, x, *size)
        x += width + _GAP
    for c, column in enumerate(columns):
        axes = page.axes(left + c * (column_w + _GAP), _TOP - 0.22, column_w, rows_h)
        axes.set(xlim=(0, column_w), ylim=(rows_h, 0))  # in inches
        _draw_rows(axes, column, names, scores, truth, threshold)
    page.text(left, page.height - 0.2, legend, size=8, color=MUTED)
    return page.figure


def _sizes(pictures: Sequence[Picture]) -> list[tuple[float, float]]:
    """Width and height of each picture, inches."""
    wide, high = (2.4, 3.9) if len(pictures) < 3 else (1.9, 2.8)
    shapes = [picture.pixels.shape[:2] for picture in pictures]
    scales = [min(high / h, wide / w) for h, w in shapes]
    return [(scale * w, scale * h) for scale, (h, w) in zip(scales, shapes, strict=True)]


def _draw_picture(page: Page, picture: Picture, x: float, w: float, h: float) -> None:
    page.text(x, _TOP - 0.08, picture.heading, size=8, color=MUTED)
    if picture.heat is None:
        page.image(x, _TOP, w, h, picture.pixels)
        return
    image = page.image(x, _TOP, w, h, picture.pixels.mean(-1), cmap='gray', vmin=0, vmax=255)
    heat = image.axes.imshow(picture.heat.values, cmap=_HEAT, vmin=picture.heat.low, vmax=picture.heat.high,
                             interpolation='bilinear', aspect='auto', extent=image.get_extent())
    scale = page.axes(x, _TOP + h + 0.1, w, 0.09)
    page.figure.colorbar(heat, cax=scale, orientation='horizontal')
    scale.locator_params(nbins=4)
    scale.tick_params(labelsize=7, labelcolor=MUTED, length=2, color=MUTED)
    lines = textwrap.wrap(picture.heat.name, max(12, int(w / 0.058)))
    page.text(x, _TOP + h + 0.4, '\n'.join(lines), size=7, color=MUTED, va='top')


def _columns(groups: Sequence[str]) -> list[list[str | int]]:
    """Columns of headings and numbers of attributes, about equally high; only long groups are broken."""
    parts = [[*([group] if group else []), *(a for a, other in enumerate(groups) if other == group)]
             for group in dict.fromkeys(groups)]
    total = sum(map(_height, parts))
    target = total / -(-total // _COLUMN)
    columns: list[list[str | int]] = [[]]
    for part in parts:
        if columns[-1] and _height(columns[-1]) + _height(part) / 2 > target:
            columns.append([])
        for entry in part:
            if _height(columns[-1]) + _ROW > 1.3 * target and not isinstance(entry, str):
                columns.append([f'{part[0]} (continued)'] if isinstance(part[0], str) else [])
            columns[-1].append(entry)
    return columns


def _height(entries: Sequence[str | int]) -> float:
    return sum(_HEADING if isinstance(entry, str) else _ROW for entry in entries)


def _draw_rows(axes: Axes, column: Sequence[str | int], names: Sequence[str], scores: np.ndarray | None,
               truth: np.ndarray | None, threshold: float) -> None:
    width = axes.get_xlim()[1]
    bars = width - _BAR - _SCORE
    indent = _MARK if truth is not None else 0.
    y = 0.
    for entry in column:
        if isinstance(entry, str):
            axes.text(0, y + 0.6 * _HEADING, entry.upper(), fontsize=7.5, color=MUTED, va='center', weight='bold')
            y += _HEADING
            continue
        middle = y + _ROW / 2
        label = None if truth is None else {1: 1, 0: 0}.get(float(truth[entry]), -1)
        seen = label == 1 if scores is None else bool(scores[entry] > threshold)
        wrong = scores is not None and label in (0, 1) and seen != (label == 1)
        if label is not None:
            _draw_mark(axes, middle, label)
        axes.text(indent, middle, shorten(names[entry], _LONGEST), fontsize=_SIZE, va='center_baseline',
                  color=WRONG if wrong else INK if seen else MUTED, weight='bold' if seen else 'normal')
        if scores is not None:
            score = float(scores[entry])
            colour = (WRONG if seen else MISSED) if wrong else SEEN if seen else NOT_SEEN
            axes.barh(middle, min(max(score, 0.), 1.) * _BAR, left=bars, height=0.62 * _ROW, color=colour)
            axes.text(bars + _BAR + 0.06, middle, f'{100 * score:.0f} %', fontsize=8, va='center_baseline',
                      color=INK if seen else MUTED)
            x = bars + threshold * _BAR
            axes.plot([x, x], [y, y + _ROW], color=INK, linewidth=0.6, alpha=0.5)
        y += _ROW


def _draw_mark(axes: Axes, y: float, label: int) -> None:
    if label < 0:
        axes.text(0.07, y, '?', fontsize=8, color=MUTED, ha='center', va='center_baseline')
    else:
        axes.plot([0.07], [y], marker='o', markersize=5, markeredgecolor=INK, markeredgewidth=0.8,
                  markerfacecolor=INK if label else 'white', clip_on=False)


def _legend(scores: np.ndarray | None, truth: np.ndarray | None, threshold: float) -> str:
    words = []
    if truth is not None:
        words.append('\u25cf has it   \u25cb has it not   ? unknown')
    if scores is not None:
        words.append(f'thin line: threshold {threshold:g}' + ('; red: wrong' if truth is not None else ''))
    return ';   '.join(words)
