"""Miniature files in the layouts of the released attribute data sets."""
import pickle
import sys
from types import ModuleType

import numpy as np
from PIL import Image
from scipy.io import savemat

from mmspike.datasets.attributes import load_list


def write_images(folder, files):
    """Small images of random colours."""
    rng = np.random.default_rng(0)
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (12, 6, 3), np.uint8)).save(folder / file)


def column(texts):
    """A MATLAB cell column of strings."""
    out = np.empty((len(texts), 1), object)
    out[:, 0] = texts
    return out


def cell(items, shape):
    out = np.empty(len(items), object)
    for index, item in enumerate(items):
        out[index] = item
    return out.reshape(shape)


def struct(**fields):
    """A 1 x 1 MATLAB struct with its fields in this order."""
    out = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        out[name][0, 0] = value
    return out


def random_labels(num_images, num_columns, seed=0, highest=1):
    return np.random.default_rng(seed).integers(0, highest + 1, (num_images, num_columns)).astype(np.uint8)


def names_by_column(name, total):
    """The published names at their columns; others in between."""
    names = [f'unused {index}' for index in range(total)]
    for entry in load_list(name)['attributes']:
        names[entry['column']] = entry['name']
    return names


def write_pa100k(root, **changes):
    """4 + 2 + 2 images. Returns the raw table of labels."""
    labels = random_labels(8, 26)
    files = [f'{index + 1:06}.jpg' for index in range(8)]
    content = dict(attributes=column(names_by_column('pa100k', 26)))
    for split, part in (('train', slice(0, 4)), ('val', slice(4, 6)), ('test', slice(6, 8))):
        content[f'{split}_images_name'] = column(files[part])
        content[f'{split}_label'] = labels[part]
    content.update(changes)
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / 'annotation.mat', content)
    write_images(root / 'data', files)
    return labels


def write_peta(root, num_images=10, partitions=None):
    """Five partitions of 5 + 1 + 4 images. Returns the raw table of 105 labels."""
    labels = random_labels(num_images, 105)
    table = np.hstack([np.arange(4 * num_images).reshape(num_images, 4), labels])
    parts = []
    for number in range(5):
        rows = np.random.default_rng(number).permutation(num_images)[:, None] + 1
        parts.append(struct(train=rows[:5], val=rows[5:6], test=rows[6:]))
    parts = partitions(parts) if partitions else parts
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / 'PETA.mat', dict(peta=struct(
        data=table, attribute=column(names_by_column('peta', 105)), selected=np.arange(1, 36)[:, None],
        partition=cell(parts, (5, 1)))))
    write_images(root / 'images', [f'{index + 1:05}.png' for index in range(num_images)])
    return labels


def write_rapv1(root):
    """10 images, 92 columns, some of them 2. Returns the raw table."""
    labels = random_labels(10, 92, highest=2)
    parts = []
    for number in range(5):
        rows = np.random.default_rng(number).permutation(10)[None] + 1
        parts.append(struct(train_index=rows[:, :8], test_index=rows[:, 8:]))
    files = [f'CAM01-{index:03}.png' for index in range(10)]
    (root / 'RAP_annotation').mkdir(parents=True)
    savemat(root / 'RAP_annotation/RAP_annotation.mat', dict(RAP_annotation=struct(
        partition=cell(parts, (5, 1)), label=labels, attribute_chinese=column(['x'] * 92),
        attribute_eng=column(names_by_column('rapv1', 92)), position=np.zeros((10, 16)), imagesname=column(files))))
    write_images(root / 'RAP_dataset', files)
    return labels


def write_rapv2(root):
    """10 images, 152 columns of which 54 are selected. Returns the raw table and the selected columns, from 0."""
    labels = random_labels(10, 152, highest=2)
    selected = np.sort(np.random.default_rng(1).permutation(152)[:54])
    names = [f'unused {index}' for index in range(152)]
    for position, name in zip(selected, names_by_column('rapv2', 54), strict=True):
        names[position] = name
    parts = []
    for number in range(5):
        rows = np.random.default_rng(number).permutation(10)[None] + 1
        parts.append(struct(train_index=rows[:, :6], val_index=rows[:, 6:8], test_index=rows[:, 8:]))
    files = [f'CAM01-{index:03}.png' for index in range(10)]
    (root / 'RAP_annotation').mkdir(parents=True)
    savemat(root / 'RAP_annotation/RAP_annotation.mat', dict(RAP_annotation=struct(
        name=column(files), attribute=column(names), data=labels, selected_attribute=selected[None] + 1,
        partition_attribute=cell(parts, (1, 5)))))
    write_images(root / 'RAP_dataset', files)
    return labels, selected


def write_market1501(root):
    """Persons 2 and 7 for training; 1 and 3 for testing, with distractors and junk. Returns the values of the mat."""
    entries = load_list('market1501')['attributes']
    halves = {}
    for half, people in (('train', ['0002', '0007']), ('test', ['0001', '0003'])):
        values = {entry['field']: random_labels(1, 2, seed=index + len(half)) + 1
                  for index, entry in enumerate(entries)}
        values['age'] = np.array([[1, 3]]) if half == 'train' else np.array([[4, 2]])
        halves[half] = dict(values, image_index=cell(people, (1, 2)))
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / 'market_attribute.mat', dict(market_attribute=struct(
        test=struct(**halves['test']), train=struct(**halves['train']))))
    write_images(root / 'bounding_box_train', ['0002_c1s1_000451_03.jpg', '0002_c2s1_1_1.jpg', '0007_c1s1_1_1.jpg'])
    write_images(root / 'bounding_box_test', ['-1_c1s1_1_1.jpg', '0000_c1s1_1_1.jpg', '0001_c1s1_1_1.jpg',
                                              '0003_c1s1_1_1.jpg', '0099_c1s1_1_1.jpg'])
    write_images(root / 'query', ['0001_c3s1_1_1.jpg'])
    return halves


class EasyDict(dict):
    """As easydict's: keys are attributes too, and it is pickled as ``easydict.EasyDict``."""

    def __init__(self, **fields):
        super().__init__()
        for name, value in fields.items():
            setattr(self, name, EasyDict(**value) if type(value) is dict else value)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        self[name] = value

    __setitem__ = dict.__setitem__


EasyDict.__module__ = 'easydict'


def write_pickle(path, protocol=4, **fields):
    """Pickle fields as an EasyDict, in the way of the community's scripts."""
    module = ModuleType('easydict')
    module.EasyDict = EasyDict
    sys.modules['easydict'] = module
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(EasyDict(**fields), protocol))
    finally:
        del sys.modules['easydict']
