"""A data set of the user's own, from a table: one row per image, one column per attribute.

CSV with a header (separated by comma, semicolon or tab), or JSON as a list of dictionaries with the same keys::

    file,split,id,head:Hat,upper:Red:a red top
    a/001.jpg,train,7,1,0
    a/002.jpg,test,9,,1

``file`` is needed; ``split``, ``id`` (of the person) and ``domain`` are not. Each other column is an attribute:
``name``, ``group:name`` or ``group:name:words``. Labels: 1/0, yes/no, true/false; empty, -1, 2 or ? for unknown.
"""
import csv
import json
from pathlib import Path

import numpy as np

from .annotation import SHOWN, UNKNOWN, Annotation, AnnotationError, Attribute
from .release import Release

RESERVED = ('file', 'split', 'id', 'domain')
LABELS = {**dict.fromkeys(('1', '1.0', 'yes', 'true', 'y'), 1), **dict.fromkeys(('0', '0.0', 'no', 'false', 'n'), 0),
          **dict.fromkeys(('', '-1', '2', '?', 'unknown', 'none', 'nan'), UNKNOWN)}
DEFAULT_SPLIT = 'train'


def read_own_set(table: Path) -> Release:
    """Read a table.

    Args:
        table: The CSV or JSON file; its images start from its folder.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: A table that cannot be used: names the rows.
    """
    if not table.is_file():
        raise FileNotFoundError(f'{table}: no such file. Expected a CSV or JSON table with a row per image; see '
                                'docs/datasets.md')
    try:
        rows = _read_json(table) if table.suffix.lower() == '.json' else _read_csv(table)
    except UnicodeDecodeError as error:
        raise AnnotationError(f'{table} is not in UTF-8 ({error}). Save it as "CSV UTF-8"') from error
    columns = list(dict.fromkeys(key for _, row in rows for key in row if key not in RESERVED))
    if not rows or not columns:
        raise AnnotationError(f'{table} has {len(rows)} rows and {len(columns)} attributes, expected at least one of '
                              'each: a header such as file,split,head:Hat,Bag and a row per image')
    attributes = [_attribute(column) for column in columns]
    nameless = [column for column, attribute in zip(columns, attributes, strict=True) if not attribute.name]
    if nameless:
        raise AnnotationError(f'{table}: the column {nameless[0]!r} has no name of an attribute, expected name, '
                              'group:name or group:name:words')
    problems = [f'{place}: {problem}' for place, row in rows for problem in _problems(row, columns)]
    if problems:
        more = f'\n... and {len(problems) - SHOWN} more' if len(problems) > SHOWN else ''
        raise AnnotationError(f'{table}: {len(problems)} problems. Expected a file and labels such as 1, 0 or nothing '
                              '(unknown) in each row.\n' + '\n'.join(problems[:SHOWN]) + more)
    labels = np.array([[_label(row.get(column)) for column in columns] for _, row in rows], np.int8)
    splits = {}
    for index, (_, row) in enumerate(rows):
        splits.setdefault(str(row.get('split') or DEFAULT_SPLIT), []).append(index)
    if 'train' in splits and 'val' in splits and 'trainval' not in splits:
        splits['trainval'] = sorted(splits['train'] + splits['val'])
    extras = {key: [None if row.get(key) in (None, '') else row[key] for _, row in rows] for key in ('id', 'domain')}
    extras = {key: values for key, values in extras.items() if values.count(None) < len(values)}
    annotation = Annotation(table.stem, attributes, [str(row['file']) for _, row in rows], labels, splits, extras)
    return Release(annotation, table.parent)


def _read_csv(table: Path) -> list[tuple[str, dict]]:
    """The rows with their places."""
    with open(table, encoding='utf-8-sig', newline='') as file:
        header = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(',;\t', key=header.count))
        names = [name.strip() for name in next(reader, [])]
        twice = sorted({name for name in names if names.count(name) > 1})
        if 'file' not in names or twice or '' in names:
            wrong = f'{", ".join(twice)} twice' if twice else ', '.join(names)[:200]
            raise AnnotationError(f'{table}: the header is {wrong}; expected "file" and one name of its own for each '
                                  'attribute, such as file,split,head:Hat,Bag')
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise AnnotationError(f'{table}: line {reader.line_num} has {len(cells)} fields, expected '
                                      f'{len(names)} as in the header')
            rows.append((f'line {reader.line_num}',
                         {name: cell.strip() for name, cell in zip(names, cells, strict=True)}))
    return rows


def _read_json(table: Path) -> list[tuple[str, dict]]:
    text = table.read_text(encoding='utf-8-sig')
    try:
        content = json.loads(text)
    except ValueError as error:
        raise AnnotationError(f'{table} is no valid JSON ({error})') from error
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise AnnotationError(f'{table} holds a {type(content).__name__}, expected a list of dictionaries, one per '
                              'image: [{"file": "a.jpg", "split": "train", "Hat": 1}, ...]')
    return [(f'entry {index}', row) for index, row in enumerate(content)]


def _problems(row: dict, columns: list[str]) -> list[str]:
    out = [] if row.get('file') else ['no file']
    return out + [f'{row.get("file")}: the label of {column} is {row[column]!r}' for column in columns
                  if _label(row.get(column)) is None]


def _label(value: object) -> int | None:
    """1, 0 or unknown; None for anything else."""
    return LABELS.get(str('' if value is None else value).strip().lower())


def _attribute(column: str) -> Attribute:
    *group, name = column.split(':', 2)[:2]
    phrase = column.split(':', 2)[2] if column.count(':') > 1 else ''
    return Attribute(name.strip(), group[0].strip() if group else 'other', phrase.strip())
