"""Error against energy: numbers in, a matplotlib ``Figure`` out."""
from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from mmspike.visualization.page import EDGE, INK, MARGIN, MUTED, Page
from mmspike.visualization.scale_chart import COLOURS

_WIDE, _HIGH, _TOP, _LEFT, _RIGHT = 4.6, 2.8, 0.75, 0.45, 1.0  # inches


def energy_chart(points: Mapping[str, tuple[float, float]], title: str = 'Error against energy',
                 energy: str = 'estimated energy, mJ per second of input', error: str = 'mean error of the joints, px'
                 ) -> Figure:
    """Draw a point per model: energy on a logarithmic axis, error upwards. The lower left is the better.

    Args:
        points: Model -> energy (above 0) and error.
        title: Above the chart.
        energy: What the energies are, with their unit.
        error: What the errors are, with their unit.

    Raises:
        ValueError: No model, or an energy that a logarithm does not take.
    """
    wrong = {name: point for name, point in points.items() if not point[0] > 0}
    if wrong or not points:
        raise ValueError(f'energy_chart: {wrong or "no models"}; expected a positive energy and an error per model.')
    page = Page(_LEFT + _WIDE + _RIGHT + 2 * MARGIN, _TOP + _HIGH + 0.75)
    page.text(MARGIN, 0.36, title, size=12, weight='bold', color=INK)
    page.text(MARGIN, 0.6, f'{error}, by {energy} (logarithmic)', size=8, color=MUTED)
    axes = page.axes(MARGIN + _LEFT, _TOP, _WIDE, _HIGH)
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(6))
    energies, errors = zip(*points.values(), strict=True)
    axes.set(xlim=(min(energies) / 2, 2 * max(energies)), ylim=(0, 1.12 * max(errors)))
    for i, (name, (x, y)) in enumerate(points.items()):
        axes.scatter([x], [y], s=36, color=COLOURS[i % len(COLOURS)], zorder=3, clip_on=False)
        axes.annotate(name, (x, y), (7, 4), textcoords='offset points', size=8, color=COLOURS[i % len(COLOURS)],
                      annotation_clip=False)
    axes.set_xlabel(energy, size=8, color=MUTED)
    axes.tick_params(labelsize=8, labelcolor=MUTED, length=2, color=MUTED)
    axes.spines[['left', 'bottom']].set(visible=True, color=EDGE)
    axes.grid(axis='y', color=EDGE, linewidth=0.4)
    return page.figure
