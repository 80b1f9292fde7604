"""The course of the scales' weights over a training.

One small chart per group, a line per scale. Drawing only: numbers in, a matplotlib ``Figure`` out.
"""
from collections.abc import Sequence

from matplotlib.figure import Figure

from mmspike.visualization.page import EDGE, INK, MARGIN, MUTED, Page

COLOURS = ('#2f6db5', '#e08a1e', '#3d9970', '#8e5ea2', '#c0392b')
_WIDE, _HIGH, _GAP, _TOP = 1.9, 1.15, 0.45, 0.95  # inches
_COLUMNS = 4


def scale_chart(history: Sequence[tuple[int, Sequence[Sequence[float]]]], groups: Sequence[str]) -> Figure:
    """Draw the weights of the scales.

    Args:
        history: Epoch and weights ``[G][S]``, which sum to 1 in each group.
        groups: Names of the G groups.
    """
    columns = min(_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    page = Page(columns * (_WIDE + _GAP) + 2 * MARGIN, _TOP + rows * (_HIGH + _GAP + 0.2) + 0.1)
    page.text(MARGIN, 0.36, 'Which scale each group of attributes is read from', size=12, weight='bold', color=INK)
    epochs = [epoch for epoch, _ in history]
    scales = len(history[0][1][0])
    for scale in range(scales):
        page.text(MARGIN + 0.55 * scale, 0.62, f'\u2014 P{scale + 1}', size=8, weight='bold',
                  color=COLOURS[scale % len(COLOURS)])
    page.text(MARGIN + 0.55 * scales, 0.62, 'weight, by epoch', size=8, color=MUTED)
    for g, name in enumerate(groups):
        x, y = MARGIN + 0.25 + g % columns * (_WIDE + _GAP), _TOP + g // columns * (_HIGH + _GAP + 0.2)
        page.text(x, y - 0.07, name, size=8.5, color=INK)
        axes = page.axes(x, y, _WIDE, _HIGH)
        axes.set(ylim=(0, 1), yticks=(0, 0.5, 1), xticks=sorted({epochs[0], epochs[-1]}))
        for scale in range(scales):
            axes.plot(epochs, [weights[g][scale] for _, weights in history], color=COLOURS[scale % len(COLOURS)],
                      linewidth=1.6, marker='.' if len(epochs) < 3 else None)
        axes.tick_params(labelsize=7, labelcolor=MUTED, length=2, color=MUTED)
        axes.spines[['left', 'bottom']].set(visible=True, color=EDGE)
    return page.figure
