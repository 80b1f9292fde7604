"""Tables of poses, per joint and per bin: as text for the log, as JSON and CSV for programs."""
import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .pose import mean_error, nan_mean

# Name in the files, heading in the log, decimals
COLUMNS = dict(mpjpe=('px', 2), hold=('held, px', 2), pck=('PCK, %', 1), mpjpe_3d=('mm', 1), hold_3d=('held, mm', 1))
SUFFIXES = ('.json', '_joints.csv', '_bins.csv')


def joint_rows(tables: Mapping[str, np.ndarray], names: Sequence[str]) -> list[dict]:
    """One row per joint.

    Args:
        tables: Figure of ``COLUMNS`` -> its values, NaN where there are none. **Shape** [N, T, K]; N is another number
            for figures in space.
        names: Of the K joints.
    """
    return [dict(joint=name, poses=int((~np.isnan(tables['mpjpe'][..., k])).sum()),
                 **{key: _number(nan_mean(table[..., k].reshape(-1), 0)) for key, table in tables.items()})
            for k, name in enumerate(names)]


def bin_rows(tables: Mapping[str, np.ndarray], bin_ms: float, average: str) -> list[dict]:
    """One row per bin; ``ms`` is its end, from the start of the window."""
    return [dict(bin=t + 1, ms=(t + 1) * bin_ms,
                 **{key: _number(mean_error(table[:, t], average)) for key, table in tables.items()})
            for t in range(tables['mpjpe'].shape[1])]


def pose_text(joints: Sequence[Mapping], bins: Sequence[Mapping], title: str) -> str:
    """Lines for a log."""
    keys = [key for key in COLUMNS if key in bins[0]]
    heads = ''.join(f'{COLUMNS[key][0]:>10}' for key in keys)
    lines = [title, f'{"bin":<10}' + heads]
    lines += [f'{row["ms"]:>7g} ms' + _cells(row, keys) for row in bins]
    lines.append(f'{"joint":<10}' + heads)
    lines += [f'{row["joint"]:<10}' + _cells(row, keys) for row in joints]
    return '\n'.join(lines)


def save_pose_figures(path: str | Path, joints: Sequence[Mapping], bins: Sequence[Mapping],
                      figures: Mapping[str, float], **facts) -> list[Path]:
    """Write ``path`` with the suffixes ``.json`` (all), ``_joints.csv`` and ``_bins.csv``; folders are made.

    Returns:
        list[Path]: The files.
    """
    path = Path(path)
    stem = path.with_suffix('') if path.suffix in ('.json', '.csv') else path
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(stem.name + suffix) for suffix in SUFFIXES]
    figures = {name: _number(value) for name, value in figures.items()}
    content = dict(**facts, figures=figures, bins=list(bins), joints=list(joints))
    files[0].write_text(json.dumps(content, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    for file, rows in zip(files[1:], (joints, bins), strict=True):
        with file.open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return files


def _cells(row: Mapping, keys: Sequence[str]) -> str:
    cells = []
    for key in keys:
        value = None if row[key] is None else row[key] * (100 if key == 'pck' else 1)
        cells.append(f'{"-" if value is None else format(value, f".{COLUMNS[key][1]}f"):>10}')
    return ''.join(cells)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
