"""RAP, versions 1 and 2, as released: ``RAP_annotation.mat`` with five partitions, and one folder of images.

**Source** "A Richly Annotated Dataset for Pedestrian Attribute Recognition", arXiv:1603.07054; "A Richly Annotated
Pedestrian Dataset for Person Retrieval in Real Surveillance Scenarios", IEEE TIP 2019.
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

FILES = ('RAP_annotation/RAP_annotation.mat', 'RAP_annotation.mat')
IMAGES = ('RAP_dataset', '.')


def read_rapv1(root: Path) -> Release:
    """Read version 1: the struct's fields are partitions, table, (Chinese names), names, (...), image names.

    Args:
        root: Folder with ``RAP_annotation/RAP_annotation.mat`` and ``RAP_dataset``.
    """
    path, facts = find_file(root, FILES, 'RAP_annotation.mat of RAPv1'), load_list('rapv1')
    record = load_mat(path, 'RAP_annotation')['RAP_annotation']
    if isinstance(record, dict) and 'partition_attribute' in record:
        raise AnnotationError(f'{path} is the annotation of RAPv2; read it as rapv2')
    partitions, data, _, names, _, files, *_ = struct_fields(record, 6, f'{path}: RAP_annotation')
    splits: dict[str, np.ndarray] = {}
    files = texts(files)
    for number, partition in enumerate(cells(partitions)):
        where = f'{path}: partition {number}'
        for split, rows in zip(('trainval', 'test'), struct_fields(partition, 2, where), strict=False):
            splits[partition_name(split, number)] = to_rows(rows, len(files), where, first=1)
    return _release(root, path, facts, files, texts(names), table(data, len(files)), splits)


def read_rapv2(root: Path) -> Release:
    """Read version 2: a struct with ``name, attribute, data, selected_attribute`` and ``partition_attribute``.

    The 54 selected attributes come in the order of the groups.

    Args:
        root: Folder with ``RAP_annotation/RAP_annotation.mat`` and ``RAP_dataset``.
    """
    path, facts = find_file(root, FILES, 'RAP_annotation.mat of RAPv2'), load_list('rapv2')
    record = load_mat(path, 'RAP_annotation')['RAP_annotation']
    wanted = ('name', 'attribute', 'data', 'selected_attribute', 'partition_attribute')
    missing = [field for field in wanted if not isinstance(record, dict) or field not in record]
    if missing:
        raise AnnotationError(f'{path}: RAP_annotation has no field {" and ".join(missing)}. Is it the annotation of '
                              'RAPv1? Then read it as rapv1')
    files, names = texts(record['name']), texts(record['attribute'])
    selected = to_rows(record['selected_attribute'], len(names), f'{path}: selected_attribute', first=1)
    splits: dict[str, np.ndarray] = {}
    for number, partition in enumerate(cells(record['partition_attribute'])):
        where = f'{path}: partition {number}'
        struct_fields(partition, 3, where)
        train, val, test = (to_rows(partition[f'{split}_index'], len(files), where, first=1)
                            for split in ('train', 'val', 'test'))
        for split, rows in (('train', train), ('val', val), ('test', test), ('trainval', np.append(train, val))):
            splits[partition_name(split, number)] = rows
    data = table(record['data'], len(files))
    return _release(root, path, facts, files, [names[i] for i in selected], data[:, selected], splits)


def _release(root: Path, path: Path, facts: dict, files: list[str], names: list[str], data: np.ndarray,
             splits: dict[str, np.ndarray]) -> Release:
    columns, notes = choose_columns(facts['attributes'], names, str(path))
    if data.ndim != 2 or data.shape[1] < len(names):
        raise AnnotationError(f'{path} has labels of shape {list(data.shape)}, expected {len(files)} rows and '
                              f'{len(names)} columns')
    labels = to_labels(data[:, columns], files, [entry['name'] for entry in facts['attributes']], str(path))
    annotation = Annotation(facts['dataset'], make_attributes(facts['attributes']), files, labels, splits)
    return Release(annotation, find_images(root, IMAGES, files), facts['published'], notes)
