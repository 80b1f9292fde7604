"""One picture of what a hybrid model saw in a clip, what it answered, and how much it fired.

Frames [T, H, W, 3] -> key frames in a row, residual frames below their key frame | class scores | spike rates.
Drawing only: arrays in, a matplotlib ``Figure`` out.
"""
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from mmspike.visualization.page import INK, MARGIN, MUTED, Page, shared_prefix, shorten

BAR, TRUTH = '#8fa3bf', '#1b7f4d'
# Inches: between frames, for the row names, for the names of classes and layers, for their values
_GAP, _ROW_NAMES, _SIDE_NAMES, _SIDE_VALUES = 0.06, 0.8, 2.0, 2.5


def residual_frames(frames: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Split a clip into key frames and the signed differences that the spiking branch receives.

    Args:
        frames: uint8 RGB, [T, H, W, 3].
        stride: Frames per group S; the first frame of each group is its key frame.

    Returns:
        Key frames [T/S, H, W, 3] as they are, and residuals [T/S, S-1, H, W] in grey levels (-255..255): frame minus
        its own group's key frame, averaged over the colours.

    Raises:
        ValueError: T is not a multiple of the stride.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f'residual_frames: got frames of shape {tuple(frames.shape)}, expected [T, H, W, 3]')
    if stride < 1 or len(frames) % stride:
        raise ValueError(f'residual_frames: {len(frames)} frames cannot be cut into groups of {stride}; '
                         'give a stride that divides the number of frames')
    groups = frames.reshape(-1, stride, *frames.shape[1:])  # [T, H, W, 3] -> [n, S, H, W, 3]
    grey = groups.mean(axis=-1)  # [n, S, H, W]
    return groups[:, 0], grey[:, 1:] - grey[:, :1]


def clip_panel(frames: np.ndarray, stride: int, *, scores: np.ndarray | None = None,
               classes: Sequence[str] | None = None, truth: int | None = None,
               rates: Mapping[str, ArrayLike] | None = None, rates_note: str = '', title: str = '',
               topk: int = 5) -> Figure:
    """Draw a clip with its residuals, its ``topk`` classes and the spike rate of every layer and time step.

    Args:
        frames: uint8 RGB, [T, H, W, 3], as the model's preprocessor receives them.
        stride: Frames per group; 1 draws every frame as a key frame.
        scores: Class probabilities [K]; ``None`` leaves the bars out.
        classes: Names of the K classes; ``None`` writes numbers.
        truth: The right class, marked in the bars (and added below them where it is not among the best).
        rates: Layer name -> share of neurons that fire, one value per time step; ``None`` or empty leaves them out.
        rates_note: What the rates are an average of.
        title: First line of the picture.
        topk: Classes to list.

    Raises:
        ValueError: T is not a multiple of the stride.
    """
    keys, residuals = residual_frames(frames, stride)
    bars = _ranking(scores, truth, topk) if scores is not None else []
    # Few residuals per group leave room for several bands of groups; more groups than fit are left out, and it is said
    columns, bands = min(len(keys), 4 if stride <= 2 else 8), max(1, 4 // stride)
    shown = min(len(keys), columns * bands)
    bands = -(-shown // columns)
    cell_w = min(1.7, 9.6 / columns)
    cell_h = cell_w * frames.shape[1] / frames.shape[2]
    band_h = stride * (cell_h + _GAP) + 0.3
    left, top = MARGIN + _ROW_NAMES, 0.8
    side = left + columns * (cell_w + _GAP) + 0.4
    bars_h = 0.28 * len(bars) + 0.6 if bars else 0.
    rates_h = 0.2 * len(rates) + 0.9 if rates else 0.
    side_w = _SIDE_NAMES + _SIDE_VALUES if bars or rates else 0.

    page = Page(side + side_w + MARGIN, top + max(bands * band_h + 0.6, bars_h + rates_h) + 0.2)
    page.text(MARGIN, 0.36, title, size=12, weight='bold', color=INK)
    hidden = f', the first {shown} shown' if shown < len(keys) else ''
    page.text(MARGIN, 0.62, f'{len(frames)} frames of {frames.shape[2]}x{frames.shape[1]}, {len(keys)} groups of '
              f'{stride}{hidden}', size=8.5, color=MUTED)
    cells = [(left + g % columns * (cell_w + _GAP), top + 0.2 + g // columns * band_h) for g in range(shown)]
    picture = _draw_frames(page, keys, residuals, cells, cell_w, cell_h)
    if picture is not None:
        _draw_scale(page, picture, left, top + bands * band_h)
    values = side + _SIDE_NAMES
    if bars:
        page.text(side, top + 0.1, 'class probability', size=9.5, color=INK)
        _draw_scores(page.axes(values, top + 0.2, _SIDE_VALUES, bars_h - 0.6), bars, classes, truth)
    if rates:
        page.text(side, top + bars_h + 0.1, 'neurons that fire, %' + (f' ({rates_note})' if rates_note else ''),
                  size=9.5, color=INK)
        _draw_rates(page, values, top + bars_h + 0.4, rates_h - 0.9, rates)
    return page.figure


def _draw_frames(page: Page, keys: np.ndarray, residuals: np.ndarray, cells: list[tuple[float, float]],
                 cell_w: float, cell_h: float) -> AxesImage | None:
    """One column per group, its top left corner given by ``cells``; returns a residual picture for its scale."""
    stride = residuals.shape[1] + 1
    # One colour scale for the whole clip, so that a still group looks still beside a moving one. The 99.5th
    # percentile keeps a few flickering pixels from washing out the rest; 16 grey levels keep noise from looking large.
    limit = max(16., float(np.percentile(np.abs(residuals), 99.5))) if residuals.size else 16.
    picture = None
    for g, (x, y) in enumerate(cells):
        for row in range(stride):
            corner = x, y + row * (cell_h + _GAP)
            if row == 0:
                page.image(*corner, cell_w, cell_h, keys[g])
                page.text(x + cell_w / 2, y - 0.06, f'frame {g * stride + 1}', size=8, color=MUTED, ha='center')
            else:
                picture = page.image(*corner, cell_w, cell_h, residuals[g, row - 1], cmap='RdBu_r', vmin=-limit,
                                     vmax=limit)
            if x == cells[0][0]:
                words = 'key frame' if row == 0 else f'residual\nt = {row}'
                page.text(x - 0.12, y + row * (cell_h + _GAP) + cell_h / 2, words, size=8.5, color=INK, ha='right',
                          va='center')
    return picture


def _draw_scale(page: Page, picture: AxesImage, x: float, y: float) -> None:
    axes = page.axes(x, y, 3.2, 0.1)
    page.figure.colorbar(picture, cax=axes, orientation='horizontal')
    axes.tick_params(labelsize=7, color=MUTED, labelcolor=MUTED, length=2)
    axes.set_xlabel('frame minus its key frame, grey levels (mean of R, G, B)', fontsize=7.5, color=MUTED, labelpad=1,
                    loc='left')


def _ranking(scores: np.ndarray, truth: int | None, topk: int) -> list[tuple[int, int, float]]:
    """(rank, class, score) of the best classes, and of the true one where it is not among them."""
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind='stable')
    shown = [(rank, int(label), float(scores[label])) for rank, label in enumerate(order, 1)]
    return [entry for entry in shown if entry[0] <= topk or entry[1] == truth]


def _draw_scores(axes: Axes, bars: list[tuple[int, int, float]], classes: Sequence[str] | None,
                 truth: int | None) -> None:
    names = []
    for row, (rank, label, score) in enumerate(bars):
        right = label == truth
        axes.barh(row, score, height=0.62, color=TRUTH if right else BAR)
        axes.text(min(score, 1.) + 0.02, row, f'{100 * score:.1f} %', va='center', fontsize=8, color=INK)
        name = classes[label] if classes is not None and label < len(classes) else f'class {label}'
        names.append(f'{rank}  {shorten(name)}' + (' (true)' if right else ''))
    axes.set_yticks(range(len(bars)), names, fontsize=8.5)
    for tick, (_, label, _) in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set_color(TRUTH if label == truth else INK)
    axes.set_xlim(0, 1.22)  # room for the figure beside a full bar
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.tick_params(length=0)


def _draw_rates(page: Page, x: float, y: float, height: float, rates: Mapping[str, ArrayLike]) -> None:
    values = [np.asarray(rate, dtype=np.float64).reshape(-1) for rate in rates.values()]
    steps = max(len(value) for value in values)
    table = np.full((len(values), steps), np.nan)  # a layer of fewer steps leaves its cells empty
    for row, value in enumerate(values):
        table[row, :len(value)] = value
    top = max(float(np.nanmax(table)), 0.05)  # hardly any activity should look like it
    axes = page.axes(x, y, min(0.62 * steps, _SIDE_VALUES), height)
    axes.imshow(table, cmap='Blues', vmin=0, vmax=top, aspect='auto')
    for row, value in enumerate(values):
        for step, rate in enumerate(value):
            axes.text(step, row, f'{100 * rate:.1f}', ha='center', va='center', fontsize=7.5,
                      color='white' if rate > 0.6 * top else INK)
    prefix, names = shared_prefix(rates)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xticks(range(steps), [f't = {step + 1}' for step in range(steps)], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, colors=INK)
    if prefix:
        axes.set_xlabel(f'layers of {prefix}', fontsize=8, color=MUTED, loc='left', labelpad=4)
