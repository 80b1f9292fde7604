"""The table of attributes: as text for the log, as JSON and CSV for programs."""
import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

# Name in the files, heading in the log
COLUMNS = dict(positives='positives', negatives='negatives', tpr='recall+', tnr='recall-', mA='mA',
               precision='precision', f1='F1', ap='AP')


def attribute_rows(table: Mapping[str, np.ndarray], names: Sequence[str], groups: Sequence[str]) -> list[dict]:
    """One row per attribute, in plain Python types; what is undefined is ``None``."""
    rows = []
    for a, (name, group) in enumerate(zip(names, groups, strict=True)):
        values = {key: table[key][a].item() for key in COLUMNS}
        values = {key: None if math.isnan(value) else value for key, value in values.items()}
        rows.append(dict(attribute=name, group=group, **values))
    return rows


def attribute_text(rows: Sequence[Mapping], figures: Mapping[str, float], title: str) -> str:
    """Lines for a log: the figures over the set, then the rows with shares in per cent."""
    width = max(len('attribute'), *(len(row['attribute']) for row in rows))
    summary = '   '.join(f'{name} {_percent(value)}' for name, value in figures.items())
    lines = [title, summary, f'{"attribute":<{width}}' + ''.join(f'{head:>11}' for head in COLUMNS.values())]
    group = None
    for row in rows:
        if row['group'] != group and row['group']:
            lines.append(f'[{row["group"]}]')
        group = row['group']
        cells = (f'{row[key]:>11d}' if key in ('positives', 'negatives') else f'{_percent(row[key]):>11}'
                 for key in COLUMNS)
        lines.append(f'{row["attribute"]:<{width}}' + ''.join(cells))
    return '\n'.join(lines)


def save_attribute_figures(path: str | Path, rows: Sequence[Mapping], figures: Mapping[str, float],
                           **facts) -> list[Path]:
    """Write ``path`` with the suffixes ``.json`` (figures, facts and rows) and ``.csv`` (rows); folders are made.

    Returns:
        list[Path]: The files.
    """
    path = Path(path)
    stem = path.with_suffix('') if path.suffix in ('.json', '.csv') else path
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(stem.name + suffix) for suffix in ('.json', '.csv')]
    figures = {name: None if math.isnan(value) else value for name, value in figures.items()}
    content = dict(**facts, figures=figures, attributes=list(rows))
    files[0].write_text(json.dumps(content, indent=1, ensure_ascii=False) + '\n')
    with files[1].open('w', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return files


def _percent(value: float | None) -> str:
    return '-' if value is None or math.isnan(value) else f'{100 * value:.2f}'
