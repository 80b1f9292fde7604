"""What the readers of released data sets share: the published facts, finding files, and tables of labels."""
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .annotation import UNKNOWN, Annotation, AnnotationError, Attribute

LISTS = Path(__file__).parent / 'lists'
LABEL_VALUES = (0, 1, 2, UNKNOWN)  # 2 is how several releases write unknown
PROBED = 8


@dataclass
class Release:
    """A released data set as it was found on disk.

    Args:
        annotation: In our format.
        images: Folder that the image files start from.
        published: Published number of images of each split, where known.
        notes: What was noticed while reading.
    """

    annotation: Annotation
    images: Path
    published: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def load_list(name: str) -> dict:
    """The facts of a release: ``dataset``, ``published`` (images per split) and ``attributes``.

    An attribute has ``name, group, phrase`` and where its labels are found: ``column`` (of the table in the release,
    from 0), or ``field`` and the ``value`` that means yes.
    """
    return json.loads((LISTS / f'{name}.json').read_text(encoding='utf-8'))


def make_attributes(entries: Iterable[dict]) -> list[Attribute]:
    """Attributes from the entries of a list."""
    return [Attribute(entry['name'], entry['group'], entry['phrase']) for entry in entries]


def find_file(root: Path, candidates: Sequence[str], what: str) -> Path:
    """The first of some files below a folder that exists.

    Raises:
        FileNotFoundError: None does.
    """
    for name in candidates:
        if (root / name).is_file():
            return root / name
    there = ', '.join(sorted(os.listdir(root))[:8]) if root.is_dir() else 'which does not exist'
    raise FileNotFoundError(f'no {" or ".join(candidates)} in {root} (there is: {there or "nothing"}). Expected '
                            f'{what}; give the folder that holds it')


def find_images(root: Path, candidates: Sequence[str], files: Sequence[str]) -> Path:
    """The first of some folders that holds images of the list; the first candidate where none does."""
    probed = files[::max(1, len(files) // PROBED)]
    for name in candidates:
        if any((root / name / file).is_file() for file in probed):
            return root / name
    return root / candidates[0]


def choose_columns(entries: list[dict], names: Sequence[str], where: str) -> tuple[list[int], list[str]]:
    """Where the attributes of a list stand in a release.

    Args:
        entries: Of ``load_list``.
        names: What the release calls its columns.
        where: The file, for messages.

    Returns:
        The columns, and a note where the release calls one of them otherwise.

    Raises:
        AnnotationError: The release has fewer columns.
    """
    columns = [entry['column'] for entry in entries]
    if max(columns) >= len(names):
        raise AnnotationError(f'{where} names {len(names)} attributes, expected at least {max(columns) + 1}. Is it the '
                              'file of another data set or version?')
    other = [f'column {column} is {names[column]!r} in the file and {entry["name"]!r} in the published list'
             for column, entry in zip(columns, entries, strict=True) if plain(names[column]) != plain(entry['name'])]
    return columns, [f'{len(other)} attributes have other names: {"; ".join(other)}'] if other else []


def plain(name: str) -> str:
    """A name without case and signs, for comparison."""
    return ''.join(filter(str.isalnum, name)).lower()


def to_labels(table: np.ndarray, files: Sequence[str], names: Sequence[str], where: str) -> np.ndarray:
    """Check a table of labels, and write unknown (2 in several releases) as -1.

    Returns:
        int8 **Shape** [N, A].

    Raises:
        AnnotationError: Another number of rows or columns, or a value that is no label.
    """
    try:
        table = np.asarray(table)
    except ValueError as error:
        raise AnnotationError(f'{where} has rows of labels of different lengths, expected {len(names)} in each, one '
                              'per attribute') from error
    if table.shape != (len(files), len(names)):
        raise AnnotationError(f'{where} has labels of shape {list(table.shape)}, expected {len(files)} rows (one per '
                              f'image) and {len(names)} columns (one per attribute)')
    wrong = np.argwhere(~np.isin(table, LABEL_VALUES))
    if len(wrong):
        row, column = wrong[0]
        raise AnnotationError(f'{where}: {files[row]} has {table[row, column]!r} for {names[column]!r} (and '
                              f'{len(wrong) - 1} more), expected 1, 0, or 2 or -1 for unknown')
    return np.where(table == 2, UNKNOWN, table).astype(np.int8)


def to_rows(indices: np.ndarray, num_images: int, where: str, first: int) -> np.ndarray:
    """Check row numbers of a release, which count from ``first``, and count them from 0.

    Raises:
        AnnotationError: No whole numbers (a mask neither, which would read as rows 0 and 1), or a row that does not
            exist.
    """
    try:
        given = np.atleast_1d(np.asarray(indices)).ravel()
        with np.errstate(invalid='ignore'):
            rows = given.astype(np.int64)
        whole = given.dtype.kind != 'b' and bool((rows == given).all())
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise AnnotationError(f'{where} holds {str(indices)[:60]}, expected the numbers of images, from {first} to '
                              f'{num_images - 1 + first}')
    rows = rows - first
    outside = rows[(rows < 0) | (rows >= num_images)]
    if len(outside):
        raise AnnotationError(f'{where} names image {outside[0] + first}, expected {first} to '
                              f'{num_images - 1 + first}')
    return rows


def partition_name(split: str, number: int) -> str:
    """``train`` for the first partition, ``train_1`` for the second and so on."""
    return split if number == 0 else f'{split}_{number}'
