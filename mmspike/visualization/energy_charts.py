"""Pictures of an energy report: where the energy goes, how often neurons fire, what the alternatives need."""
import io

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mmspike.visualization.page import EDGE, INK, MUTED, shared_prefix, shorten

MAC, AC, NEURON, GREY = '#b45309', '#0f766e', '#6d28d9', '#9ca3af'
RATES = LinearSegmentedColormap.from_list('rates', ['#ffffff', '#99d5cd', '#0f766e', '#052e2b'])
WIDTH, ROW = 8.6, 0.19  # inches
SHOWN = 28
"""Layers drawn by themselves."""


def energy_charts(figures: dict) -> dict[str, str]:
    """The pictures of a report, by title, as SVG to put into a page.

    Args:
        figures: of :meth:`mmspike.analysis.energy.EnergyReport.to_dict`.
    """
    drawn = {f'Energy by layer, mJ ({figures["energy"][0]["title"]})': by_layer(figures),
             f'The same topology in other forms, mJ ({figures["energy"][0]["title"]})': alternatives(figures),
             'Energy models, mJ': by_model(figures)}
    if any(n['rates'] for n in figures['neurons']):
        drawn['Spikes per neuron, by layer and time step'] = rates(figures)
    return {title: svg(figure) for title, figure in drawn.items()}


def by_layer(figures: dict) -> Figure:
    """A bar for each layer and each population of neurons, in the order in which they run."""
    kinds = {'multiply-accumulate': MAC, 'accumulate': AC}
    entries = [(layer['name'], layer['energy_mj'], kinds[layer['counted_as']]) for layer in figures['layers']]
    entries += [(n['name'], n['energy_mj'], NEURON) for n in figures['neurons']]
    kept = {name for name, *_ in sorted(entries, key=lambda entry: -entry[1])[:SHOWN]}
    rest = sum(energy for name, energy, _ in entries if name not in kept)
    entries = [entry for entry in entries if entry[0] in kept]
    if rest:
        entries.append((f'the other {len(figures["layers"]) + len(figures["neurons"]) - len(kept)}', rest, GREY))
    figure, axes = _bars([name for name, *_ in entries], [energy for _, energy, _ in entries],
                         [colour for *_, colour in entries])
    handles = [axes.barh([0], [0], color=colour) for colour in (MAC, AC, NEURON)]
    axes.legend(handles, ['multiply-accumulates: real input', 'accumulates: spikes', 'membranes'], frameon=False,
                fontsize=7.5, loc='lower right', bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)
    return figure


def alternatives(figures: dict) -> Figure:
    """Operations of layers alone and all that is estimated, for this network, other forms of it and other models."""
    first = figures['energy'][0]
    entries = [(a['name'], a['synaptic_mj'], a['total_mj']) for a in first['alternatives']]
    entries += [(c['name'], c['energy_mj'][first['name']]['synaptic'], c['energy_mj'][first['name']]['total'])
                for c in figures['compared']]
    return _two_bars(entries)


def by_model(figures: dict) -> Figure:
    """This network under each energy model."""
    return _two_bars([(model['title'], model['synaptic_mj']['mean'], model['total_mj']['mean'])
                      for model in figures['energy']])


def rates(figures: dict) -> Figure:
    """A row for each population of neurons, a column for each time step."""
    firing = [n for n in figures['neurons'] if n['rates']]
    steps = max(len(n['rates']) for n in firing)
    table = np.full((len(firing), steps), np.nan)
    for row, neurons in enumerate(firing):
        table[row, :len(neurons['rates'])] = neurons['rates']
    _, names = shared_prefix(n['name'] for n in firing)
    figure, axes = _empty(len(firing) * ROW + 0.75)
    image = axes.imshow(table, aspect='auto', cmap=RATES, vmin=0, vmax=max(np.nanmax(table), 0.05))
    axes.set_yticks(range(len(names)), [shorten(name, 44) for name in names], fontsize=7)
    axes.set_xticks(range(steps), range(1, steps + 1), fontsize=7)
    axes.set_xlabel('time step', fontsize=8, color=MUTED)
    if table.size <= 400:
        limit = 0.55 * max(np.nanmax(table), 0.05)
        for (row, column), rate in np.ndenumerate(table):
            axes.text(column, row, f'{rate:.3f}', ha='center', va='center', fontsize=6.5,
                      color='white' if rate > limit else INK)
    figure.colorbar(image, ax=axes, pad=0.02, fraction=0.04).ax.tick_params(labelsize=7)
    return figure


def svg(figure: Figure) -> str:
    """A figure as an ``<svg>`` element; its words stay words."""
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'mmspike', 'font.family': 'sans-serif'}):
        stream = io.StringIO()
        FigureCanvasSVG(figure).print_svg(stream, metadata={'Date': None})
    text = stream.getvalue()
    return text[text.index('<svg'):]


def _bars(names: list[str], values: list[float], colours: list[str]) -> tuple[Figure, Axes]:
    _, short = shared_prefix(names) if len(names) > 1 else ('', names)
    figure, axes = _empty(len(names) * ROW + 0.8)
    axes.barh(range(len(names)), values, color=colours, height=0.72)
    axes.set_yticks(range(len(names)), [shorten(name, 44) for name in short], fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    _finish(axes)
    return figure, axes


def _two_bars(entries: list[tuple[str, float, float]]) -> Figure:
    figure, axes = _empty(len(entries) * 2.1 * ROW + 0.8)
    for offset, index, colour, label in ((-0.19, 1, AC, 'operations of layers'), (0.19, 2, GREY, 'all that is estimated')):
        rows = [i + offset for i in range(len(entries))]
        values = [entry[index] for entry in entries]
        axes.barh(rows, values, height=0.36, color=colour, label=label)
        for row, value in zip(rows, values, strict=True):
            axes.text(value, row, f' {value:.3g}', va='center', fontsize=6.5, color=INK)
    axes.set_yticks(range(len(entries)), [shorten(name, 60) for name, *_ in entries], fontsize=7)
    axes.set_ylim(len(entries) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.legend(frameon=False, fontsize=7.5, loc='lower right', bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
    _finish(axes)
    return figure


def _empty(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout='constrained')
    axes = figure.subplots()
    axes.tick_params(length=0, colors=INK)
    for edge in axes.spines.values():
        edge.set_color(EDGE)
    return figure, axes


def _finish(axes: Axes) -> None:
    axes.grid(axis='x', alpha=0.35)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(axis='x', labelsize=7)
    axes.set_xlabel('mJ', fontsize=8, color=MUTED)
