"""Pickled data sets of the research community: ``dataset_all.pkl`` of the strong baseline and its relatives, UPAR.

**Source** "Rethinking of Pedestrian Attribute Recognition", arXiv:2107.03576; "UPAR: Unified Pedestrian Attribute
Recognition and Person Retrieval", WACV 2023.
"""
from pathlib import Path
from typing import Any

import numpy as np

from .annotation import Annotation, AnnotationError, Attribute
from .release import (
    LISTS,
    Release,
    choose_columns,
    find_file,
    find_images,
    load_list,
    make_attributes,
    partition_name,
    plain,
    to_labels,
    to_rows,
)
from .restricted_pickle import load_pickle

FIELDS = ('image_name', 'label', 'attr_name', 'partition')


def read_pickle(root: Path) -> Release:
    """Read a pickled data set: names of images and attributes, a table of labels, and partitions.

    Where it says which columns are evaluated (``label_idx.eval``) these are taken, in that order. Groups and words are
    those of the published list that its attribute names fit best; words in the pickle are not used, because in some
    they stand in another order than the labels.

    Args:
        root: The file, or the folder with ``dataset_all.pkl`` or ``dataset.pkl``.
    """
    path = root if root.is_file() else find_file(root, ('dataset_all.pkl', 'dataset.pkl'), 'the pickled data set')
    content = load_fields(path, FIELDS)
    files, names = _texts(path, content, 'image_name'), _texts(path, content, 'attr_name')
    labels = to_labels(content['label'], files, names, str(path))
    columns = _evaluated(path, content, len(names))
    name, attributes, notes = describe([names[column] for column in columns])
    published = load_list(name)['published'] if name else {}
    dataset = load_list(name)['dataset'] if name else str(content.get('description') or path.parent.name)
    splits = read_partitions(path, content, len(files))
    images = find_images(path.parent, ('images', 'data', 'RAP_dataset', '.'), files)
    return Release(Annotation(dataset, attributes, files, labels[:, columns], splits), images, published, notes)


def read_upar(root: Path) -> Release:
    """Read UPAR: partition 0 is everything, the odd ones train on one domain, the even ones leave one out.

    ``domain`` of an image is the data set that it comes from, the first folder of its path.

    Args:
        root: Folder with ``dataset_all.pkl`` (or ``UPAR/dataset_all.pkl``) and the folders of the joined data sets.
    """
    path = find_file(root, ('dataset_all.pkl', 'UPAR/dataset_all.pkl'), 'dataset_all.pkl of UPAR')
    content, facts = load_fields(path, FIELDS), load_list('upar')
    files, names = _texts(path, content, 'image_name'), _texts(path, content, 'attr_name')
    columns, notes = choose_columns(facts['attributes'], names, str(path))
    labels = to_labels(content['label'], files, names, str(path))[:, columns]
    annotation = Annotation(facts['dataset'], make_attributes(facts['attributes']), files, labels,
                            read_partitions(path, content, len(files)),
                            dict(domain=[Path(file).parts[0] if '/' in file else None for file in files]))
    return Release(annotation, root, facts['published'], notes)


def _texts(path: Path, content: dict, field: str) -> list[str]:
    if not isinstance(content[field], list | tuple | np.ndarray) or not len(content[field]):
        raise AnnotationError(f'{path}: {field} holds {str(content[field])[:60]}, expected a list of names')
    return [str(item) for item in content[field]]


def _evaluated(path: Path, content: dict, count: int) -> list[int]:
    """``label_idx.eval``, the columns that are evaluated, or all."""
    columns = content.get('label_idx') or {}
    if not isinstance(columns, dict):
        raise AnnotationError(f'{path}: label_idx holds {str(columns)[:60]}, expected a dictionary with the evaluated '
                              'columns as "eval"')
    columns = [int(column) for column in columns.get('eval', range(count))]
    wrong = [column for column in columns if not 0 <= column < count]
    if wrong or not columns:
        raise AnnotationError(f'{path}: label_idx.eval names column {wrong[0] if wrong else "none"}, but there are '
                              f'{count} columns, from 0')
    return columns


def load_fields(path: Path, fields: tuple[str, ...]) -> dict:
    """The content of a pickle that must be a dictionary with some fields.

    Raises:
        AnnotationError: It is not, or names what could run code.
    """
    content = load_pickle(path)
    missing = [field for field in fields if not isinstance(content, dict) or field not in content]
    if missing:
        there = ', '.join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise AnnotationError(f'{path} lacks {", ".join(missing)}; it holds {there}. Expected a pickled data set '
                              'such as dataset_all.pkl of the strong baseline')
    return content


def read_partitions(path: Path, content: dict, num_images: int) -> dict[str, np.ndarray]:
    """``partition``: per split an array of rows, or a list of them, one per partition (each may be in parts)."""
    if not isinstance(content['partition'], dict):
        raise AnnotationError(f'{path}: partition holds {str(content["partition"])[:60]}, expected a dictionary of the '
                              'rows of each split')
    splits = {}
    for split, value in content['partition'].items():
        for number, rows in enumerate(_partitions(value)):
            splits[partition_name(split, number)] = to_rows(rows, num_images, f'{path}: partition.{split}', first=0)
    return splits


def _partitions(value: Any) -> list[np.ndarray]:
    nested = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.kind == 'O')
    if not nested or all(np.isscalar(item) for item in value):
        return [np.asarray(value)]
    return [np.concatenate([np.ravel(part) for part in rows]) if isinstance(rows, list | tuple) else rows
            for rows in value]


def describe(names: list[str]) -> tuple[str | None, list[Attribute], list[str]]:
    """Groups and words for attribute names.

    Returns:
        The published list that has all of the names, if one has; the attributes; a note on names that none has.
    """
    lists = {path.stem: {plain(entry['name']): entry for entry in load_list(path.stem)['attributes']}
             for path in sorted(LISTS.glob('*.json'))}
    best = max(lists, key=lambda stem: sum(plain(name) in lists[stem] for name in names))
    found = [lists[best].get(plain(name)) for name in names]
    attributes = [Attribute(name, entry['group'], entry['phrase']) if entry else Attribute(name)
                  for name, entry in zip(names, found, strict=True)]
    strange = [name for name, entry in zip(names, found, strict=True) if entry is None]
    notes = [f'no group and words are known for {", ".join(strange)}'] if strange else []
    return None if strange else best, attributes, notes
