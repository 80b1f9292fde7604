"""The dataset of annotation files: labels, seeding, and what broken images do."""
import copy
import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from mmspike.datasets import AttributeDataset, ImageReadError
from mmspike.datasets.attributes import Annotation, Attribute, save_annotation
from mmspike.utils.tool_errors import message_for_user

TRAIN = [dict(type='LoadImage'), dict(type='mmcv.Resize', scale=(16, 32), backend='pillow'),
         dict(type='mmpretrain.RandomCrop', crop_size=(32, 16), padding=4), dict(type='mmcv.RandomFlip', prob=.5),
         dict(type='mmpretrain.PackInputs')]
TEST = [*TRAIN[:2], TRAIN[-1]]


@pytest.fixture
def folder(tmp_path):
    """Six images, the last two broken: one empty, one cut off."""
    rng = np.random.default_rng(0)
    (tmp_path / 'data').mkdir()
    for index in range(6):
        Image.fromarray(rng.integers(0, 255, (40, 20 + index, 3), np.uint8)).save(tmp_path / f'data/{index}.png')
    (tmp_path / 'data/4.png').write_bytes(b'')
    (tmp_path / 'data/5.png').write_bytes((tmp_path / 'data/5.png').read_bytes()[:900])
    labels = [[1, 0, -1], [1, -1, -1], [0, 1, -1], [0, 0, -1], [1, 1, 1], [1, 1, 1]]
    splits = dict(train=[0, 1, 2, 3], test=[3, 1], all=range(6), none=[])
    save_annotation(
        Annotation('toy', [Attribute('Hat', 'head', 'a hat'), Attribute('Bag', 'bag'), Attribute('Dog')],
                   [f'{index}.png' for index in range(6)], labels, splits, dict(id=[5, 5, None, 6, 7, 8])),
        tmp_path / 'toy.json')
    return tmp_path


def dataset(folder, pipeline=TRAIN, **options):
    options = dict(dict(ann_file='toy.json', data_root=str(folder), data_prefix=dict(img='data')), **options)
    return AttributeDataset(pipeline=pipeline, **options)


@pytest.fixture
def log(caplog, monkeypatch):
    """mmengine's logger does not hand its records on; the test wants them."""
    monkeypatch.setattr('mmspike.datasets.file_dataset.print_log',
                        lambda text, logger, level: logging.getLogger('test').log(level, text))
    return caplog


def test_entries_and_samples(folder):
    data = dataset(folder, TEST, split='test', test_mode=True)
    assert len(data) == 2
    info = data.get_data_info(0)
    assert info.pop('gt_score').tolist() == [0, 0, -1]
    assert info == dict(img_path=str(folder / 'data/3.png'), person_id=6, sample_idx=0)
    sample = data[1]
    assert sample['inputs'].shape == (3, 32, 16) and sample['inputs'].dtype == torch.uint8
    scores = sample['data_samples'].gt_score
    assert scores.tolist() == [1, -1, -1] and scores.dtype == torch.float32
    assert sample['data_samples'].ori_shape == (40, 21) and sample['data_samples'].img_shape == (32, 16)
    assert sample['data_samples'].sample_idx == 1 and sample['data_samples'].img_path.endswith('data/1.png')


def test_metainfo(folder):
    meta = dataset(folder).metainfo
    assert meta['dataset'] == 'toy' and meta['attributes'] == ('Hat', 'Bag', 'Dog')
    assert meta['groups'] == ('head', 'bag', 'other') and meta['phrases'] == ('a hat', 'Bag', 'Dog')
    assert meta['positive_ratio'] == [.5, 1 / 3, 0]  # of this split, of the known labels


def test_unknown_labels_as_zero(folder):
    data = dataset(folder, unknown='zero')
    assert data.get_data_info(1)['gt_score'].tolist() == [1, 0, 0]
    assert data.metainfo['positive_ratio'] == [.5, .25, 0]
    with pytest.raises(ValueError, match="unknown='ignore': expected 'mask' .* or 'zero'"):
        dataset(folder, unknown='ignore')


def test_augmentation_depends_on_seed_epoch_and_index_only(folder):
    first, second = dataset(folder), dataset(folder)
    second[3], second[0]  # other draws before
    assert torch.equal(first[2]['inputs'], second[2]['inputs'])
    second.set_epoch(1)
    other = second[2]['inputs']
    assert not torch.equal(first[2]['inputs'], other)
    assert not torch.equal(first[2]['inputs'], dataset(folder, seed=1)[2]['inputs'])
    first.set_epoch(1)
    assert torch.equal(first[2]['inputs'], other)
    copied = copy.deepcopy(first)
    copied.set_epoch(0)
    assert not torch.equal(copied[2]['inputs'], first[2]['inputs'])


def test_persistent_workers_follow_the_epoch(folder):
    data = dataset(folder)
    loader = DataLoader(data, batch_size=None, num_workers=1, persistent_workers=True)
    for epoch in (0, 1):
        data.set_epoch(epoch)
        batches = [batch['inputs'] for batch in loader]
        assert all(torch.equal(batch, data[index]['inputs']) for index, batch in enumerate(batches))


def test_broken_images_are_replaced_in_training_and_logged_once(folder, log):
    data = dataset(folder, split='all')
    sample = data[4]['data_samples']
    assert sample.sample_idx < 4 and data[4]['data_samples'].sample_idx == sample.sample_idx  # the same one each time
    list(DataLoader(data, batch_size=None, num_workers=1))
    assert data.num_unreadable == 2
    found = [record.getMessage() for record in log.records if 'cannot read image' in record.getMessage()]
    assert len(found) == len(set(found))
    assert '4.png: the file is empty (0 bytes); replaced by another (1 of 6 samples' in found[0]


def test_broken_images_are_errors_in_testing(folder):
    data = dataset(folder, TEST, split='all', test_mode=True)
    with pytest.raises(ImageReadError, match='5.png: it cannot be decoded .*trunc.*split .all. of .*toy.json.*restore'):
        data[5]
    with pytest.raises(ImageReadError, match='4.png: the file is empty .*--check --skip-unreadable'):
        data[4]


def test_too_many_broken_images(folder):
    for index in range(4):
        (folder / f'data/{index}.png').write_text('no image')
    with pytest.raises(RuntimeError, match='4 different samples in a row cannot be read. The last: cannot read image '
                                           '.*toy.json or the folder .*data looks wrong.* --check'):
        dataset(folder)[0]


def test_a_transform_that_gives_none(folder, log):
    def refuse(results):
        return None if results['img_path'].endswith('1.png') else results

    assert dataset(folder, [refuse, *TRAIN])[1]['data_samples'].sample_idx != 1
    with pytest.raises(ValueError, match='1.png: a transform of the pipeline gave None, expected a sample'):
        dataset(folder, [refuse, *TEST], split='test', test_mode=True)[1]


def test_errors_name_what_to_set(folder):
    for options, kind, message in (
            (dict(split='valid'), ValueError, "no split 'valid', it has 'train', 'test', 'all', 'none'. Set split="),
            (dict(split='none'), ValueError, "the split 'none' is empty"),
            (dict(ann_file='x.json'), FileNotFoundError, 'x.json is missing'),
            (dict(data_prefix=dict(img='x')), FileNotFoundError, "lists 4 images as 'train', but the folder .*x .* is "
                                                                 'missing. Set data_root'),
            (dict(data_prefix=dict(img='.')), FileNotFoundError, 'none of 4 images looked for exists, the first is '),
            (dict(data_prefix=dict(video='x')), ValueError, r"keys \['video'\], expected dict\(img=")):
        with pytest.raises(kind, match=message):
            dataset(folder, **options)
    (folder / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='empty .data_prefix. is empty'):
        dataset(folder, data_prefix=dict(img='empty'))
    content = json.loads((folder / 'toy.json').read_text())
    content['images'][1]['img_path'] = 'somewhere'
    (folder / 'toy.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match="toy.json: images have the key 'img_path', which samples have for .* Rename"):
        dataset(folder)
    content['images'][1].pop('img_path')
    content['images'][2]['labels'] += [1]
    (folder / 'toy.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'toy.json: 1 of 6 images(.|\n)*images\[2\]: 2.png has 4 labels, expected 3'):
        dataset(folder)


def test_a_broken_image_in_a_worker_is_one_message(folder):
    loader = DataLoader(dataset(folder, TEST, split='all', test_mode=True), batch_size=None, num_workers=1)
    with pytest.raises(Exception) as error:
        list(loader)
    message = message_for_user(error.value)
    assert message.startswith('cannot read image') and 'restore the file' in message and 'Traceback' not in message
