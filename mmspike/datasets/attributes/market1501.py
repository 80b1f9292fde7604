"""Market-1501 with attributes: ``market_attribute.mat`` has them per person, the names of the images the person.

**Source** "Improving Person Re-identification by Attribute and Identity Learning", Pattern Recognition 2019. Of its 27
attributes age has four values, each an attribute here: 30.
"""
import os
from pathlib import Path

import numpy as np

from .annotation import Annotation, AnnotationError
from .matfile import cells, load_mat
from .release import Release, find_file, load_list, make_attributes

FILES = ('market_attribute.mat', 'attribute/market_attribute.mat', 'Market-1501_Attribute/market_attribute.mat')
# split here -> folder of images, half of the annotation
SPLITS = dict(train=('bounding_box_train', 'train'), query=('query', 'test'), test=('bounding_box_test', 'test'))
SUFFIXES = ('.jpg', '.png')


def read_market1501(root: Path) -> Release:
    """Read the attributes of the persons, and give them to their images.

    ``test`` is the gallery without distractors and junk (persons 0 and -1), which have no attributes; ``query`` holds
    further images of the same persons.

    Args:
        root: Folder with ``market_attribute.mat``, ``bounding_box_train``, ``bounding_box_test`` and ``query``.
    """
    path, facts = find_file(root, FILES, 'market_attribute.mat of Market-1501_Attribute'), load_list('market1501')
    content = load_mat(path, 'market_attribute')['market_attribute']
    files, labels, persons, splits, notes = [], [], [], {}, []
    for split, (folder, half) in SPLITS.items():
        people = _people(content, half, facts['attributes'], path)
        if not (root / folder).is_dir():
            raise FileNotFoundError(f'{root} has no folder {folder}, expected the folders of Market-1501: '
                                    + ', '.join(folder for folder, _ in SPLITS.values()))
        found = sorted(file for file in os.listdir(root / folder) if file.endswith(SUFFIXES))
        known = [(file, person) for file in found if (person := _person(file)) in people]
        strangers = sum(_person(file) > 0 for file in found) - len(known)
        if strangers:
            notes.append(f'{folder}: {strangers} images of persons without attributes are left out')
        splits[split] = np.arange(len(files), len(files) + len(known))
        files += [f'{folder}/{file}' for file, _ in known]
        persons += [person for _, person in known]
        labels += [people[person] for _, person in known]
    table = np.array(labels, np.int8).reshape(len(files), len(facts['attributes']))
    annotation = Annotation(facts['dataset'], make_attributes(facts['attributes']), files, table, splits,
                            dict(id=persons))
    return Release(annotation, root, facts['published'], notes)


def _people(content: object, half: str, entries: list[dict], path: Path) -> dict[int, np.ndarray]:
    """The labels of each person of one half."""
    fields = content.get(half) if isinstance(content, dict) else None
    wanted = {entry['field'] for entry in entries} | {'image_index'}
    missing = sorted(wanted - set(fields if isinstance(fields, dict) else ()))
    if missing:
        raise AnnotationError(f'{path}: market_attribute.{half} lacks {", ".join(missing)}; expected a struct with a '
                              'field for each attribute and image_index')
    people = [int(person) for person in cells(fields['image_index'])]
    values = {field: np.atleast_1d(fields[field]).astype(int) for field in wanted - {'image_index'}}
    for field, found in values.items():
        allowed = (1, 2, 3, 4) if field == 'age' else (1, 2)
        if len(found) != len(people) or not np.isin(found, allowed).all():
            raise AnnotationError(f'{path}: market_attribute.{half}.{field} has {len(found)} values from '
                                  f'{found.min()} to {found.max()}, expected {len(people)} (one per person) of '
                                  f'{allowed}')
    labels = np.stack([values[entry['field']] == entry['value'] for entry in entries], axis=1)
    return dict(zip(people, labels.astype(np.int8), strict=True))


def _person(file: str) -> int:
    """``0002_c1s1_000451_03.jpg`` -> 2; -1 for junk and other files."""
    number = file.split('_')[0]
    return int(number) if number.isdecimal() else -1
