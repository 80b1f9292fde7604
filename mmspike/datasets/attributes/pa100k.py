"""PA-100K as released: ``annotation.mat`` and one folder of images.

**Source** "HydraPlus-Net: Attentive Deep Features for Pedestrian Analysis", ICCV 2017.
"""
from pathlib import Path

import numpy as np

from .annotation import Annotation
from .matfile import load_mat, table, texts
from .release import Release, choose_columns, find_file, find_images, load_list, make_attributes, to_labels

SPLITS = ('train', 'val', 'test')


def read_pa100k(root: Path, name: str = 'pa100k') -> Release:
    """Read ``annotation.mat``: per split the names of the images and a table of labels, and the attributes' names.

    Args:
        root: Folder with ``annotation.mat`` (or ``annotation/annotation.mat``) and the images in ``data``.
        name: Attribute list, for a data set of its own in this layout.
    """
    path = find_file(root, ('annotation.mat', 'annotation/annotation.mat'), 'annotation.mat of PA-100K')
    variables = [f'{split}_{what}' for split in SPLITS for what in ('images_name', 'label')]
    content, facts = load_mat(path, 'attributes', *variables), load_list(name)
    names = texts(content['attributes'])
    columns, notes = choose_columns(facts['attributes'], names, f'{path}: attributes')
    files, labels, splits = [], [], {}
    for split in SPLITS:
        found = texts(content[f'{split}_images_name'])
        splits[split] = np.arange(len(files), len(files) + len(found))
        files += found
        part = table(content[f'{split}_label'], len(found))
        labels.append(to_labels(part, found, names, f'{path}: {split}_label')[:, columns])
    splits['trainval'] = np.concatenate([splits['train'], splits['val']])
    annotation = Annotation(facts['dataset'], make_attributes(facts['attributes']), files, np.concatenate(labels),
                            splits, groups=facts.get('groups', {}))
    images = find_images(root, ('data', 'release_data/release_data', 'release_data', '.'), files)
    return Release(annotation, images, facts['published'], notes)
