"""An account in words and tables: Markdown."""
from collections.abc import Iterable, Sequence

TITLE = 'Energy and spikes'
READING = (
    'All energies are analytical estimates: counts of operations times published energies of one operation. Nothing was '
    'measured. Operations are counted, exactly, on the samples named above. A layer that received spikes accumulates, '
    'any other multiplies.')


def markdown(figures: dict) -> str:
    """The whole report as a Markdown document, from :meth:`EnergyReport.to_dict`."""
    parts = [f'# {TITLE}', *(f'> **{warning}**' for warning in figures['warnings']), READING]
    for heading, table in sections(figures):
        parts += [f'## {heading}', table if isinstance(table, str) else _table(*table)]
    return '\n\n'.join(parts) + '\n'


def sections(figures: dict) -> Iterable[tuple[str, str | tuple[Sequence[str], list[Sequence[str]]]]]:
    """Headings, each with a text or a table (columns, rows); for any kind of document."""
    yield 'What was measured on', (('', ''), [*figures['provenance'].items(),
                                              ('samples', str(figures['samples'])),
                                              ('time steps', str(figures['steps']))])
    yield 'Operations of one sample', _operations(figures)
    yield 'Estimated energy of one sample, mJ', _energy(figures)
    yield from _alternatives(figures)
    if figures['compared']:
        yield 'Other models on the same samples', _compared(figures)
    yield 'As the papers count', _conventions(figures)
    yield 'Layers', _layers(figures)
    if figures['neurons']:
        yield 'Spiking neurons', _neurons(figures)
    yield 'What was not counted', _coverage(figures)
    yield 'Measured energy of the GPU', _measured(figures)


def _operations(figures: dict) -> tuple:
    operations, model = figures['operations'], figures['model']
    density = operations['density_of_spiking_layers']
    rows = [('products, of a device that skips nothing', _spread(operations['dense'])),
            ('multiply-accumulates: layers that received no spikes', _spread(operations['macs'])),
            ('of these, without a factor 0', _spread(operations['effective_macs'])),
            ('accumulates: layers that received spikes', _spread(operations['acs'])),
            ('membrane updates', _spread(operations['neuron_updates'])),
            ('norms and interpolations', number(sum(operations['folded'].values()))),
            ('density of what spiking layers receive', '-' if density is None else f'{density:.4f}'),
            ('activation sparsity', f'{model["activation_sparsity"]:.4f}'),
            ('connection sparsity', f'{model["connection_sparsity"]:.4f}'),
            ('parameters', f'{model["parameters"]:,} ({model["parameter_bytes"] / 2**20:.2f} MB)'),
            ('membranes', f'{model["state_bytes"] / 2**20:.3f} MB')]
    return ('', 'mean ± deviation over samples'), rows


def _energy(figures: dict) -> tuple:
    rows = []
    for model in figures['energy']:
        parts = model['parts_mj']
        rows.append((model['title'], f'{model["mac_pj"]:g} / {model["add_pj"]:g}', _spread(model['synaptic_mj'], ''),
                     *(number(parts[name], '') for name in ('macs', 'acs', 'neurons', 'folded', 'memory')),
                     _spread(model['total_mj'], '')))
    return ('energy model', 'pJ per MAC / AC', 'layers', 'of it MAC', 'of it AC', 'membranes', 'norms, interpolation',
            'memory', 'all'), rows


def _alternatives(figures: dict) -> Iterable[tuple[str, tuple]]:
    names = [model['name'] for model in figures['energy']]
    by_form = list(zip(*(model['alternatives'] for model in figures['energy']), strict=True))
    for words, key in (('operations of layers', 'synaptic_mj'), ('all that is estimated', 'total_mj')):
        yield f'The same topology in other forms: {words}, mJ', (
            ('', *names), [(forms[0]['name'], *(number(form[key], '') for form in forms)) for forms in by_form])
    compared = [forms for forms in by_form if forms[0].get('break_even') is not None]
    for words, key in (('operations of layers', 'break_even'), ('all that is estimated', 'break_even_total')):
        if compared:
            yield f'Density of spikes below which the spiking network needs less: {words}', (
                ('than', *names), [(forms[0]['name'], *(_density(form[key]) for form in forms)) for forms in compared])


def _compared(figures: dict) -> tuple:
    first = figures['energy'][0]
    rows = [(c['name'], number(c['dense']), number(c['macs']), number(c['acs']),
             number(c['energy_mj'][first['name']]['synaptic'], ''), number(c['energy_mj'][first['name']]['total'], ''))
            for c in figures['compared']]
    return ('model', 'dense', 'MAC', 'AC', f'operations of layers, mJ ({first["title"]})', 'all, mJ'), rows


def _conventions(figures: dict) -> tuple:
    return ('convention', 'MAC', 'AC', 'mJ', 'how'), [
        (c['name'], number(c['macs']), number(c['acs']), number(c['energy_mj'], ''), c['note'])
        for c in figures['conventions']]


def _layers(figures: dict) -> tuple:
    rows = [(f'`{layer["name"]}`', ' x '.join(map(_received, layer['received'])),
             *(number(layer[name]) for name in ('dense', 'effective', 'macs', 'acs')),
             number(layer['energy_mj'], '')) for layer in figures['layers']]
    rows.append(('all', '', *(number(sum(layer[name] for layer in figures['layers']))
                              for name in ('dense', 'effective', 'macs', 'acs')),
                 number(sum(layer['energy_mj'] for layer in figures['layers']), '')))
    return ('layer', 'received', 'dense', 'without 0', 'MAC', 'AC', f'mJ ({figures["energy"][0]["title"]})'), rows


def _received(received: dict) -> str:
    value = '' if received['value'] in (None, 1.0) else f' of {received["value"]:.4g}'
    return f'{received["kind"]}{value}, {100 * received["density"]:.1f} %'


def _neurons(figures: dict) -> tuple:
    rows = [(f'`{n["name"]}`', number(n['updates']), '-' if n['rate'] is None else f'{n["rate"]:.4f}',
             ' '.join(f'{rate:.3f}' for rate in n['rates'] or ()), number(n['energy_mj'], ''))
            for n in figures['neurons']]
    return ('neurons', 'updates', 'rate', 'rate at each step', f'mJ ({figures["energy"][0]["title"]})'), rows


def _coverage(figures: dict) -> tuple:
    coverage = figures['coverage']
    rows = [(f'`{name}`', number(entry['multiplications']),
             'multiplications of single elements' if entry['known'] else 'no rule: a lower bound')
            for name, entry in coverage['uncounted'].items()]
    rows.append((f'counted: {100 * coverage["share"]:.3f} % of the multiply-accumulates', number(coverage['counted']),
                 ''))
    return ('operator', 'multiplications', ''), rows


def _measured(figures: dict) -> str | tuple:
    measured = figures['measured_gpu_energy']
    if not measured:
        return 'Not run: this needs an NVIDIA GPU, `pip install nvidia-ml-py` and `--measure-gpu`.'
    return ('', ''), [(name, str(value)) for name, value in measured.items()]


def number(value: float, unit: str = 'auto') -> str:
    """Three to four digits, with a unit of thousands where it is a count."""
    if unit == 'auto':
        for size, letter in ((1e9, ' G'), (1e6, ' M'), (1e3, ' k')):
            if abs(value) >= size:
                return f'{value / size:.4g}{letter}'
    return f'{value:.4g}'


def _spread(figure: dict, unit: str = 'auto') -> str:
    if not figure['std']:
        return number(figure['mean'], unit)
    return f'{number(figure["mean"], unit)} ± {number(figure["std"], unit)}'


def _density(value: float | None) -> str:
    if value is None:
        return '-'
    return 'never' if value <= 0 else 'always' if value >= 1 else f'{value:.3f}'


def _table(columns: Sequence[str], rows: list[Sequence[str]]) -> str:
    lines = [columns, ['---'] * len(columns), *rows]
    return '\n'.join('| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |' for line in lines)
