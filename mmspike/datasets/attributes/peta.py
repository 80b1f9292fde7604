"""PETA as the attribute literature uses it: ``PETA.mat`` with five random partitions, and renumbered images.

**Source** "Pedestrian Attribute Recognition At Far Distance", ACM MM 2014; 35 of its attributes since "Attribute
Recognition by Joint Recurrent Learning", ICCV 2017.
**Differs** SNN-PAR pairs the labels in the order of the file with words in the order of the groups, so that label 0
(younger than 30) goes with "hat". Here both are in the order of the groups.
"""
from pathlib import Path

import numpy as np

from .annotation import Annotation, AnnotationError
from .matfile import cells, load_mat, struct_fields, table, texts
from .release import (
    Release,
    choose_columns,
    find_file,
    find_images,
    load_list,
    make_attributes,
    partition_name,
    to_labels,
    to_rows,
)

LEADING_COLUMNS = 4  # of the table, before the labels


def read_peta(root: Path) -> Release:
    """Read ``PETA.mat``: a struct of the table, the attributes' names, a third field, and the partitions.

    Args:
        root: Folder with ``PETA.mat`` and ``images/00001.png`` and so on.
    """
    path, facts = find_file(root, ('PETA.mat',), 'PETA.mat with the 35 attributes and 5 partitions'), load_list('peta')
    data, names, _, partitions, *_ = struct_fields(load_mat(path, 'peta')['peta'], 4, f'{path}: peta')
    names = texts(names)
    data = table(data, 1)
    if data.shape[1] != LEADING_COLUMNS + len(names):
        raise AnnotationError(f'{path} has a table of {data.shape[1]} columns, expected {LEADING_COLUMNS} and one for '
                              f'each of its {len(names)} attributes')
    files = [f'{row + 1:05}.png' for row in range(len(data))]
    columns, notes = choose_columns(facts['attributes'], names, str(path))
    chosen = np.array([LEADING_COLUMNS + column for column in columns])
    labels = to_labels(data[:, chosen], files, [entry['name'] for entry in facts['attributes']], str(path))
    splits: dict[str, np.ndarray] = {}
    for number, partition in enumerate(cells(partitions)):
        where = f'{path}: partition {number}'
        parts = struct_fields(partition, 3, where)
        train, val, test = (to_rows(part, len(files), where, first=1) for part in parts[:3])
        for split, rows in (('train', train), ('val', val), ('test', test), ('trainval', np.append(train, val))):
            splits[partition_name(split, number)] = rows
    annotation = Annotation(facts['dataset'], make_attributes(facts['attributes']), files, labels, splits)
    return Release(annotation, find_images(root, ('images', '.'), files), facts['published'], notes)
