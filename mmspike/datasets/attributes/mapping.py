"""The attributes of one data set in terms of another's: test on B what was trained on A.

A mapping file lists A's attributes, in A's order, each with where B says it::

    {"dataset": "PETA as PA-100K",
     "attributes": [{"name": "Female", "group": "gender", "from": {"not": "personalMale"}},
                    {"name": "Skirt&Dress", "group": "lower", "from": {"any": ["lowerBodyShortSkirt", "Dress"]}},
                    {"name": "Front", "from": null}]}

``from``: a name, ``{"not": name}``, ``{"any": [names]}`` or ``null``, where B does not say: unknown in all images.
"""
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmspike.utils.lookup import did_you_mean, nearest

from .annotation import UNKNOWN, Annotation, AnnotationError, Attribute


def map_attributes(annotation: Annotation, wanted: str | Path | Sequence[str], where: str) -> Annotation:
    """An annotation with other columns.

    Args:
        annotation: Of data set B.
        wanted: Names of B's attributes, to choose and order them; or a mapping file.
        where: B's annotation file, for messages.

    Raises:
        FileNotFoundError: There is no such mapping file.
        AnnotationError: An attribute that B has not, or a mapping that is none.
    """
    if not isinstance(wanted, str | Path):
        by_name = {attribute.name: attribute for attribute in annotation.attributes}
        columns = [_column(annotation, name, where) for name in wanted]
        return replace(annotation, attributes=[by_name[name] for name in wanted], labels=annotation.labels[:, columns])
    entries, content = _read(wanted)
    labels = [_labels(annotation, entry['from'], f'{wanted}: {entry["name"]}', where) for entry in entries]
    attributes = [Attribute(entry['name'], entry.get('group', 'other'), entry.get('phrase', '')) for entry in entries]
    return replace(annotation, dataset=content.get('dataset', annotation.dataset), attributes=attributes,
                   labels=np.stack(labels, 1), groups={**annotation.groups, **content.get('groups', {})},
                   extras={key: values for key, values in annotation.extras.items() if key != 'boxes'})


def _read(path: str | Path) -> tuple[list[dict], dict]:
    if not os.path.isfile(path):
        raise FileNotFoundError(f'The mapping file {path} is missing. Set attributes= of the dataset to where it is, '
                                'or to a list of names')
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8-sig'))
        entries = content['attributes']
        wrong = next((entry for entry in entries if not isinstance(entry['name'], str) or 'from' not in entry), None)
    except (KeyError, TypeError, ValueError) as error:
        raise AnnotationError(f'{path} is no mapping file ({type(error).__name__}: {error}). Expected {{"attributes": '
                              '[{"name": "Female", "from": {"not": "personalMale"}}, ...]}; see docs/datasets.md'
                              ) from error
    if wrong is not None:
        raise AnnotationError(f'{path}: {wrong!r} says not where it comes from. Expected "from": a name, '
                              '{"not": name}, {"any": [names]}, or null for unknown')
    return entries, content


def _labels(annotation: Annotation, source: object, entry: str, where: str) -> np.ndarray:
    """int8 [N]."""
    if source is None:
        return np.full(len(annotation.labels), UNKNOWN, np.int8)
    kind, names = next(iter(source.items())) if isinstance(source, dict) and len(source) == 1 else ('any', [source])
    names = [names] if isinstance(names, str) else names
    if kind not in ('not', 'any') or not names or not all(isinstance(name, str) for name in names):
        raise AnnotationError(f'{entry}: "from" is {source!r}, expected a name, {{"not": name}}, {{"any": [names]}}, '
                              'or null for unknown')
    columns = annotation.labels[:, [_column(annotation, name, where) for name in names]]
    found = np.where((columns == 1).any(1), 1, np.where((columns == 0).all(1), 0, UNKNOWN))
    return np.where(found == UNKNOWN, UNKNOWN, 1 - found if kind == 'not' else found).astype(np.int8)


def _column(annotation: Annotation, name: str, where: str) -> int:
    names = [attribute.name for attribute in annotation.attributes]
    if name not in names:
        raise AnnotationError(f'{where} has no attribute {name!r}.{did_you_mean(nearest(name, names))} It has '
                              f'{", ".join(names)}')
    return names.index(name)
