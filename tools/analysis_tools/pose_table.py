"""Pose models side by side: a table, and a chart of the error over time.

    python tools/test.py CONFIG CHECKPOINT --out results/hybrid.json     (for each model)
    python tools/analysis_tools/pose_table.py hybrid=results/hybrid_poses.json snn=results/snn_poses.json --out-dir out

Each NAME=FILE is what PoseMetric has written. A model that holds the pose of its CNN beside its own adds the row "NAME,
held". Prints the table per bin and per joint, and writes ``bins.csv``, ``joints.csv``, ``table.md`` and
``error_over_time.png``. With --energy hybrid=42 snn=5 (of whatever unit; report_energy.py estimates them) it also
writes ``error_against_energy.png``.
"""
import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path

from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import energy_chart, error_chart

FIGURES = (('bins', 'ms'), ('joints', 'joint'))  # table of the file, and what its rows are called by
VARIANTS = (('', 'mpjpe', 'mpjpe_3d'), (', held', 'hold', 'hold_3d'))  # of a model: its own poses, and those held


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results', nargs='+', metavar='NAME=FILE.json', help='what PoseMetric has written for a model')
    parser.add_argument('--out-dir', type=Path, required=True, help='folder for table and chart')
    parser.add_argument('--energy', nargs='+', default=[], metavar='NAME=NUMBER', help='energy of models')
    parser.add_argument('--energy-unit', default='estimated energy, mJ per second of input',
                        help='what the numbers are (default: %(default)s)')
    parser.add_argument('--title', default='Error over time', help='of the chart')
    return parser.parse_args(argv)


def read_results(arguments: Sequence[str]) -> dict[str, dict]:
    """Content of the files by the names of the models."""
    results = {}
    for argument in arguments:
        name, equals, file = argument.partition('=')
        if not equals or not name:
            raise ValueError(f'{argument!r}: expected NAME=FILE.json, such as hybrid=results/hybrid_poses.json')
        if not Path(file).is_file():
            raise ValueError(f'{file}: no such file; tools/test.py CONFIG CHECKPOINT --out results/{name}.json writes '
                             f'results/{name}_poses.json')
        try:
            content = json.loads(Path(file).read_text(encoding='utf-8'))
        except ValueError as error:
            raise ValueError(f'{file} is not JSON ({error}); expected the file that ends with _poses.json') from None
        if not {'bins', 'joints', 'figures'} <= set(content):
            raise ValueError(f'{file} holds {sorted(content)}, expected the bins and joints that PoseMetric writes: '
                             'the file that ends with _poses.json')
        results[name] = content
    return results


def energy_points(arguments: Sequence[str], results: dict[str, dict]) -> dict[str, tuple[float, float]]:
    """Model -> energy and mean error, of the models that an energy is given of."""
    points = {}
    for argument in arguments:
        name, _, number = argument.rpartition('=')
        try:
            points[name] = float(number), results[name]['figures']['mpjpe']
        except (KeyError, ValueError):
            raise ValueError(f'--energy {argument!r}: expected NAME=NUMBER with one of the names {", ".join(results)}'
                             ) from None
    return points


def rows_of(results: dict[str, dict], kind: str, key: str) -> tuple[list[str], list[list]]:
    """Headings, and a row per model: its name, means in px and mm, and its error in each bin or joint."""
    heads = list(dict.fromkeys(row[key] for content in results.values() for row in content[kind]))
    rows = []
    for name, content in results.items():
        for suffix, flat, space in VARIANTS:
            if flat in content['figures']:
                values = {row[key]: row.get(flat) for row in content[kind]}
                figures = [content['figures'].get(figure) for figure in (flat, space)]
                rows.append([name + suffix, *figures, *(values.get(head) for head in heads)])
    return ['model', 'mean, px', 'mean, mm', *(f'{head:g}' if kind == 'bins' else head for head in heads)], rows


def to_text(heads: list[str], rows: list[list]) -> str:
    """A table in Markdown, which reads well as it is."""
    cells = [heads, *([name, *(_cell(value, 1 if i == 1 else 2) for i, value in enumerate(values))]
                      for name, *values in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ['| ' + ' | '.join(f'{cell:{"<" if c == 0 else ">"}{w}}' for c, (cell, w) in
                               enumerate(zip(row, widths, strict=True))) + ' |' for row in cells]
    return '\n'.join([lines[0], '|' + '|'.join('-' * (w + 1) + ('-' if c == 0 else ':') for c, w in enumerate(widths))
                      + '|', *lines[1:]])


def _cell(value: float | None, decimals: int) -> str:
    return '-' if value is None else f'{value:.{decimals}f}'


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    results = read_results(args.results)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    texts = []
    for kind, key in FIGURES:
        heads, rows = rows_of(results, kind, key)
        with open(args.out_dir / f'{kind}.csv', 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([heads, *rows])
        texts.append(f'Mean error in px by {"the end of the bin, ms" if kind == "bins" else "joint"}:\n\n'
                     + to_text(heads, rows))
    print('\n\n'.join(texts))
    (args.out_dir / 'table.md').write_text('\n\n'.join(texts) + '\n', encoding='utf-8')
    curves = {name + suffix: [(row['ms'], row[flat]) for row in content['bins'] if row[flat] is not None]
              for name, content in results.items() for suffix, flat, _ in VARIANTS if flat in content['figures']}
    error_chart(curves, args.title).savefig(args.out_dir / 'error_over_time.png')
    if args.energy:
        chart = energy_chart(energy_points(args.energy, results), energy=args.energy_unit)
        chart.savefig(args.out_dir / 'error_against_energy.png')
    print(f'\nTable and chart are in {args.out_dir}.')


if __name__ == '__main__':
    run_tool(main)
