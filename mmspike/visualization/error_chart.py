"""Errors over the time since a CNN last looked: numbers in, a matplotlib ``Figure`` out."""
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmspike.visualization.page import EDGE, INK, MARGIN, MUTED, Page
from mmspike.visualization.scale_chart import COLOURS

_WIDE, _HIGH, _TOP, _LEFT, _RIGHT = 4.6, 2.6, 0.75, 0.35, 1.6  # inches


def error_chart(curves: Mapping[str, Sequence[tuple[float, float]]], title: str = 'Error over time',
                unit: str = 'px') -> Figure:
    """Draw a line per model, named at its end.

    Args:
        curves: Model -> milliseconds since the start of the window, and mean error then.
        title: Above the chart.
        unit: Of the errors.
    """
    page = Page(_LEFT + _WIDE + _RIGHT + 2 * MARGIN, _TOP + _HIGH + 0.6)
    page.text(MARGIN, 0.36, title, size=12, weight='bold', color=INK)
    page.text(MARGIN, 0.6, f'mean error of the joints in {unit}, by ms since the CNN looked', size=8, color=MUTED)
    axes = page.axes(MARGIN + _LEFT, _TOP, _WIDE, _HIGH)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
    highest = max(value for points in curves.values() for _, value in points)
    axes.set_ylim(0, 1.08 * highest)
    ends = []
    for i, (name, points) in enumerate(curves.items()):
        times, values = zip(*points, strict=True)
        colour = COLOURS[i % len(COLOURS)]
        axes.plot(times, values, color=colour, linewidth=1.8, marker='.')
        ends.append((values[-1], times[-1], name, colour))
    line, below = 0.055 * 1.08 * highest, float('-inf')
    for value, time, name, colour in sorted(ends):  # names do not cover one another
        below = max(value, below + line)
        axes.annotate(name, (time, below), (6, 0), textcoords='offset points', va='center', size=8, color=colour,
                      annotation_clip=False)
    axes.tick_params(labelsize=8, labelcolor=MUTED, length=2, color=MUTED)
    axes.spines[['left', 'bottom']].set(visible=True, color=EDGE)
    axes.grid(axis='y', color=EDGE, linewidth=0.4)
    return page.figure
