"""The annotation file of a pedestrian attribute data set: what is in it, reading it, writing it.

::

    {"dataset": "PA-100K",
     "attributes": [{"name": "Hat", "group": "head", "phrase": "a hat"}, ...],
     "splits": {"train": [0, 1, ...], "val": [...], "test": [...], "trainval": [...]},
     "images": [{"file": "000001.jpg", "labels": [0, 1, -1, ...], "id": 7, "domain": "Market1501"}, ...]}

Labels, one per attribute: 1 yes, 0 no, -1 unknown. Splits are rows of ``images``, from 0; where a data set comes with
several partitions, those of partition k > 0 are ``train_k``, ``test_k`` and so on. ``id`` (of the person), ``domain``,
``boxes``, ``keypoints`` and further keys of an image are optional, and so is ``"groups"``: where on a person a group is
looked for, see ``places.py``.
"""
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..write_once import write_text

UNKNOWN = -1
SHOWN = 5  # problems quoted in one error message
KEYS = dict(dataset=str, attributes=list, splits=dict, images=list)
CONVERTER = 'tools/dataset_converters/pedestrian_attributes.py'


class AnnotationError(ValueError):
    """An annotation, or what one is to be made from, that cannot be used."""


@dataclass
class Attribute:
    """One attribute: its name in the release, its group (body part or kind) and the words for it."""

    name: str
    group: str = 'other'
    phrase: str = ''

    def __post_init__(self) -> None:
        self.phrase = self.phrase or self.name


@dataclass
class Annotation:
    """The content of an annotation file.

    Args:
        dataset: Name of the data set.
        attributes: In the order of the columns of ``labels``.
        files: Image files, relative to the folder of the images.
        labels: 1 yes, 0 no, -1 unknown. **Shape** [N, A], int8.
        splits: Rows of each split.
        extras: Further facts per image, such as ``id`` and ``domain``: lists of N, ``None`` where there is none.
        groups: Place of a group on a person, where the file states it.
    """

    dataset: str
    attributes: list[Attribute]
    files: list[str]
    labels: np.ndarray
    splits: dict[str, np.ndarray]
    extras: dict[str, list] = field(default_factory=dict)
    groups: dict[str, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels = np.asarray(self.labels, np.int8)
        self.splits = {name: np.asarray(rows, np.int64).reshape(-1) for name, rows in self.splits.items()}

    def positive_ratio(self, split: str) -> list[float]:
        """Share of the known labels of a split that are positive, per attribute; 0 where none is known."""
        labels = self.labels[self.splits[split]]
        known = (labels != UNKNOWN).sum(0)
        return ((labels == 1).sum(0) / np.maximum(known, 1)).tolist()


def load_annotation(path: str | Path) -> Annotation:
    """Read an annotation file.

    Raises:
        FileNotFoundError: There is no such file.
        AnnotationError: It is not JSON, or not of this format: names file, row, what is there and what is expected.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'The annotation file {path} is missing. Make it with {CONVERTER} (see '
                                'docs/datasets.md), or set data_root and ann_file of the dataset to where it is')
    with open(path, encoding='utf-8-sig') as file:
        try:
            content = json.load(file)
        except ValueError as error:
            raise AnnotationError(f'{path} is no valid JSON ({error}). It may have been cut off while it was written '
                                  f'or edited by hand; make it anew with {CONVERTER}') from error
    for key, kind in KEYS.items():
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            found = type(content[key]).__name__ if isinstance(content, dict) and key in content else 'nothing'
            raise AnnotationError(f'{path}: "{key}" holds {found}, expected a {_json_word(kind)}. The format is in '
                                  f'docs/datasets.md; {CONVERTER} writes it')
    if not content['attributes']:
        raise AnnotationError(f'{path}: "attributes" is empty, expected at least one. The format is in '
                              f'docs/datasets.md; {CONVERTER} writes it')
    attributes = [_attribute(path, column, entry) for column, entry in enumerate(content['attributes'])]
    images = content['images']
    labels = _labels(path, images, len(attributes))
    splits = {name: _rows(path, name, rows, len(images)) for name, rows in content['splits'].items()}
    keys = dict.fromkeys(key for image in images for key in image if key not in ('file', 'labels'))
    extras = {key: [image.get(key) for image in images] for key in keys}
    groups = content.get('groups') or {}
    if not isinstance(groups, dict):
        raise AnnotationError(f'{path}: "groups" is {str(groups)[:60]}, expected a dictionary such as '
                              '{"head": {"region": [0, 0.375], "scale": 1}}')
    files = [image['file'] for image in images]
    return Annotation(content['dataset'], attributes, files, labels, splits, extras, groups)


def save_annotation(annotation: Annotation, path: str | Path) -> None:
    """Write an annotation file, whole or not at all: one line per image, so that it can be read and compared."""
    rows = []
    for row, (file, labels) in enumerate(zip(annotation.files, annotation.labels.tolist(), strict=True)):
        extras = {key: values[row] for key, values in annotation.extras.items() if values[row] is not None}
        rows.append(json.dumps(dict(file=file, labels=labels, **extras)))
    head = [f'"dataset": {json.dumps(annotation.dataset)}',
            '"attributes": [\n' + ',\n'.join(json.dumps(vars(a)) for a in annotation.attributes) + ']',
            *([f'"groups": {json.dumps(annotation.groups)}'] if annotation.groups else []),
            '"splits": {\n' + ',\n'.join(f'{json.dumps(name)}: {json.dumps(rows.tolist())}'
                                         for name, rows in annotation.splits.items()) + '}']
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, '{' + ',\n'.join([*head, '"images": [\n' + ',\n'.join(rows) + ']']) + '}\n')


def _attribute(path: str | Path, column: int, entry: object) -> Attribute:
    if not isinstance(entry, dict) or not isinstance(entry.get('name'), str) or not entry['name']:
        raise AnnotationError(f'{path}: attribute {column} is {entry!r}, expected '
                              '{"name": ..., "group": ..., "phrase": ...}, of which group and phrase may be left out')
    return Attribute(entry['name'], entry.get('group') or 'other', entry.get('phrase') or '')


def _labels(path: str | Path, images: list, width: int) -> np.ndarray:
    """[N, A] int8, or an error that names the first rows with problems."""
    try:
        labels = np.array([image['labels'] for image in images]) if images else np.zeros((0, width), np.int8)
        usable = (labels.shape == (len(images), width) and labels.dtype.kind in 'iub'
                  and all(isinstance(image['file'], str) for image in images)
                  and (labels <= 1).all() and (labels >= UNKNOWN).all())
    except (KeyError, TypeError, ValueError):
        usable = False
    if usable:
        return labels.astype(np.int8)
    problems = [(row, problem) for row, image in enumerate(images) if (problem := _problem(image, width))]
    more = f'\n... and {len(problems) - SHOWN} more' if len(problems) > SHOWN else ''
    raise AnnotationError(
        f'{path}: {len(problems)} of {len(images)} images cannot be used. Expected a "file" and {width} "labels" (one '
        'per attribute) out of 1, 0 and -1 (unknown); correct them, or make the file anew with '
        f'{CONVERTER}.\n' + '\n'.join(f'images[{row}]: {problem}' for row, problem in problems[:SHOWN]) + more)


def _problem(image: object, width: int) -> str | None:
    """What is wrong with one entry of ``images``; None where nothing is."""
    if not isinstance(image, dict) or not isinstance(image.get('file'), str):
        return f'it is {str(image)[:100]}, without a "file"'
    labels = image.get('labels')
    if not isinstance(labels, list):
        return f'{image["file"]} has no list of "labels"'
    if len(labels) != width:
        return f'{image["file"]} has {len(labels)} labels, expected {width}'
    wrong = [label for label in labels if type(label) not in (int, bool) or label not in (0, 1, UNKNOWN)]
    return f'{image["file"]} has the label {wrong[0]!r}' if wrong else None


def _rows(path: str | Path, name: str, rows: object, num_images: int) -> np.ndarray:
    if not isinstance(rows, list) or not all(type(row) is int for row in rows):
        raise AnnotationError(f'{path}: the split "{name}" is {str(rows)[:60]}, expected a list of rows of "images"')
    outside = [row for row in rows if not 0 <= row < num_images]
    if outside:
        raise AnnotationError(f'{path}: the split "{name}" names row {outside[0]}, but there are {num_images} images '
                              f'(rows 0 to {num_images - 1}); rows count from 0')
    return np.array(rows, np.int64)


def _json_word(kind: type) -> str:
    return {str: 'text', list: 'list', dict: 'dictionary'}[kind]
