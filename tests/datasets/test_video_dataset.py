"""The dataset of list files: reading, seeding, and what broken videos do."""
import copy
import logging

import pytest
import torch
from mmengine.dataset import ConcatDataset
from mmengine.evaluator import Evaluator
from torch.utils.data import DataLoader

from mmspike.datasets import VideoDataset
from mmspike.evaluation import ActionMetric

TRAIN = [dict(type='VideoInit'), dict(type='SampleSegments', num_segments=4), dict(type='VideoDecode'),
         dict(type='mmaction.RandomResizedCrop'), dict(type='mmaction.Resize', scale=(16, 16), keep_ratio=False),
         dict(type='mmaction.Flip', flip_ratio=0.5), dict(type='PackClip')]
TEST = [dict(type='VideoInit'), dict(type='SampleSegments', num_segments=4, test_mode=True), dict(type='VideoDecode'),
        dict(type='mmaction.Resize', scale=(-1, 16)), dict(type='mmaction.CenterCrop', crop_size=16),
        dict(type='PackClip')]


@pytest.fixture
def folder(tmp_path, make_video):
    """Six videos, the last two broken, and their list."""
    for index in range(4):
        make_video(tmp_path / f'videos/class {index % 2}/{index}.avi', 12 + index)
    (tmp_path / 'videos/empty.avi').touch()
    (tmp_path / 'videos/text.avi').write_text('no video' * 99)
    rows = [f'class {index % 2}/{index}.avi {12 + index} {index % 2}' for index in range(4)]
    (tmp_path / 'list.txt').write_text('\n'.join([*rows, 'empty.avi 12 0', 'text.avi 1']))
    return tmp_path


def dataset(folder, pipeline=TRAIN, **options):
    options = dict(dict(ann_file='list.txt', data_root=str(folder), data_prefix=dict(video='videos')), **options)
    return VideoDataset(pipeline=pipeline, **options)


def messages(caplog):
    return [record.getMessage() for record in caplog.records if 'cannot read video' in record.getMessage()]


@pytest.fixture
def log(caplog, monkeypatch):
    """mmengine's logger does not hand its records on; the test wants them."""
    monkeypatch.setattr('mmspike.datasets.file_dataset.print_log',
                        lambda text, logger, level: logging.getLogger('test').log(level, text))
    return caplog


def test_entries(folder):
    data = dataset(folder)
    assert len(data) == 6
    assert data.get_data_info(1) == dict(filename=str(folder / 'videos/class 1/1.avi'), label=1, total_frames=13,
                                         line=2, sample_idx=1)
    assert data[1]['data_samples'].gt_labels.item.tolist() == [1]


def test_augmentation_depends_on_seed_epoch_and_index_only(folder):
    first, second = dataset(folder), dataset(folder)
    second[3], second[0]  # other draws before
    assert torch.equal(first[2]['inputs'], second[2]['inputs'])
    second.set_epoch(1)
    other_epoch = second[2]['inputs']
    assert not torch.equal(first[2]['inputs'], other_epoch)
    assert not torch.equal(first[2]['inputs'], dataset(folder, seed=1)[2]['inputs'])
    first.set_epoch(1)
    assert torch.equal(first[2]['inputs'], other_epoch)


def test_global_generators_are_left_alone(folder):
    import random

    import numpy as np
    random.seed(3), np.random.seed(3)
    expected = random.random(), np.random.random()
    random.seed(3), np.random.seed(3)
    dataset(folder)[0]
    assert (random.random(), np.random.random()) == expected


def test_persistent_workers_follow_the_epoch(folder):
    data = dataset(folder, indices=4)
    loader = DataLoader(data, batch_size=None, num_workers=2, persistent_workers=True)
    epochs = []
    for epoch in (0, 1, 0):
        data.set_epoch(epoch)
        epochs.append([batch['inputs'] for batch in loader])
    assert all(torch.equal(a, b) for a, b in zip(epochs[0], epochs[2], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(epochs[0], epochs[1], strict=True))
    data.set_epoch(1)
    assert all(torch.equal(a, data[i]['inputs']) for i, a in enumerate(epochs[1]))  # as without workers


def test_broken_video_is_replaced_in_training_and_logged_once(folder, log):
    data = dataset(folder)
    sample = data[4]['data_samples']
    assert sample.sample_idx < 4 and sample.gt_labels.item.tolist() == [sample.sample_idx % 2]
    assert data[4]['data_samples'].sample_idx == sample.sample_idx  # the same one each time
    data[5]
    found = messages(log)
    assert len(found) == 2 and data.num_unreadable == 2
    assert 'empty.avi: the file is empty (0 bytes); replaced by another (1 of 6 samples' in '\n'.join(found)


def test_broken_videos_are_counted_across_workers(folder):
    data = dataset(folder)
    list(DataLoader(data, batch_size=None, num_workers=2))
    assert data.num_unreadable == 2


def test_broken_video_is_reported_in_testing_and_never_dropped(folder, log):
    data = dataset(folder, TEST, test_mode=True)
    batch = [data[index] for index in range(6)]
    assert [item['data_samples'].sample_idx for item in batch] == list(range(6))
    assert {tuple(item['inputs'].shape) for item in batch} == {(1, 4, 16, 16, 3)}
    assert 'unreadable' not in batch[0]['data_samples']
    broken = batch[4]
    assert broken['data_samples'].unreadable.endswith('empty.avi: the file is empty (0 bytes)')
    assert broken['data_samples'].filename.endswith('empty.avi') and broken['data_samples'].total_frames == 12
    assert broken['inputs'].unique().tolist() == [128]
    assert len(messages(log)) == 2 and 'counted as wrong' in messages(log)[0]


def test_truncated_video_in_training(folder, make_video, log):
    path = folder / 'videos/class 0/0.avi'
    path.write_bytes(path.read_bytes()[:len(path.read_bytes()) // 2])
    assert dataset(folder)[0]['data_samples'].sample_idx != 0
    assert 'truncated' in messages(log)[0]


def test_too_many_failures_in_a_row(folder):
    (folder / 'list.txt').write_text('empty.avi 0\ntext.avi 1\n')
    with pytest.raises(RuntimeError, match='2 different samples in a row cannot be read.*The list .*list.txt or the '
                                           'folder .*videos looks wrong.*--check'):
        dataset(folder)[0]


def test_errors_of_transforms_are_not_taken_for_broken_videos(folder):
    def fail(results):
        raise KeyError('imgs')

    with pytest.raises(KeyError):
        dataset(folder, [dict(type='VideoInit'), fail])[0]


def test_a_transform_that_gives_none(folder, log):
    def refuse(results):
        return None if results['filename'].endswith(('0.avi', '1.avi')) else results

    assert dataset(folder, [refuse, *TRAIN])[0]['data_samples'].sample_idx in (2, 3)
    assert '0.avi: a transform of the pipeline gave None for it; replaced by another (1 of 6' in messages(log)[0]
    with pytest.raises(ValueError, match='1.avi: a transform of the pipeline gave None, .* or raise VideoReadError'):
        dataset(folder, [refuse, *TEST], test_mode=True)[1]


@pytest.mark.parametrize('name, converter', [
    ('kinetics400_train_list_videos.txt', 'kinetics.py'), ('hmdb51_train_split_1_videos.txt', 'hmdb51.py'),
    ('ucf101_train_split_1_videos.txt', 'ucf101.py')])
def test_missing_list_names_what_to_do(folder, name, converter):
    with pytest.raises(FileNotFoundError) as error:
        dataset(folder, ann_file=name)
    for part in (str(folder / name), f'tools/dataset_converters/{converter}', 'docs/datasets.md',
                 'configs/respike/respike_r18_synthetic.py'):
        assert part in str(error.value)


def test_missing_empty_and_wrong_folders(folder):
    (folder / 'nothing').mkdir()
    (folder / 'wrong/sub').mkdir(parents=True)
    for name, message in (('none', 'none .data_prefix. is missing'), ('nothing', 'nothing .data_prefix. is empty'),
                          ('wrong', 'none of 6 videos looked for exists, the first is .*class 0/0.avi')):
        with pytest.raises(FileNotFoundError, match=f'lists 6 videos, but .*{message}') as error:
            dataset(folder, data_prefix=dict(video=name))
        assert 'set data_root and data_prefix' in str(error.value)


def test_data_prefix_of_another_key(folder):
    with pytest.raises(ValueError, match=r"keys \['img'\], expected dict\(video="):
        dataset(folder, data_prefix=dict(img='videos'))


def test_classes(folder):
    assert 'classes' not in dataset(folder).metainfo
    assert dataset(folder, classes=['left', 'right']).metainfo['classes'] == ('left', 'right')
    (folder / 'classes.txt').write_text('up\ndown\n')
    assert dataset(folder).metainfo['classes'] == ('up', 'down')
    (folder / 'names.txt').write_text('one\n')
    with pytest.raises(ValueError, match=r'list.txt:2: label 1 is outside the 1 classes'):
        dataset(folder, classes='names.txt')


def test_one_sample_per_window(folder):
    (folder / 'list.txt').write_text('class 0/0.avi 12 0\nclass 1/1.avi 3 1\n')
    data = dataset(folder, window=4)
    assert [data.get_data_info(i)['window_start'] for i in range(len(data))] == [0, 4, 8, 0]
    (folder / 'list.txt').write_text('class 0/0.avi 0\n')
    with pytest.raises(ValueError, match='list.txt:1: window=4 needs "path num_frames label" rows'):
        dataset(folder, window=4)


def test_folders_of_frames(folder, make_video):
    import cv2
    import numpy as np
    for index in range(1, 9):
        (folder / 'videos/raw').mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f'videos/raw/img_{index:05}.jpg'), np.full((32, 40, 3), 9, np.uint8))
    (folder / 'frames.txt').write_text('raw 8 1\n')
    data = dataset(folder, TEST, ann_file='frames.txt', filename_tmpl='img_{:05}.jpg', test_mode=True)
    assert data[0]['inputs'].shape == (1, 4, 16, 16, 3)
    assert data[0]['data_samples'].total_frames == 8 and 'unreadable' not in data[0]['data_samples']


def test_copies_work(folder):
    data = copy.deepcopy(dataset(folder))
    data.set_epoch(2)
    assert data[0]['inputs'].shape == (1, 4, 16, 16, 3)


def test_every_sample_of_joined_data_sets_is_evaluated(folder):
    (folder / 'second.txt').write_text('class 0/0.avi 0\nclass 0/0.avi 0\nclass 1/3.avi 1\n')
    data = ConcatDataset([dataset(folder, TEST, test_mode=True),
                          dataset(folder, TEST, test_mode=True, ann_file='second.txt')])
    evaluator = Evaluator(ActionMetric(topk=(1,)))
    for index in range(len(data)):  # the prediction is class 0, always
        evaluator.process(data_samples=[data[index]['data_samples'].set_pred_score(torch.tensor([.9, .1]))])
    figures = evaluator.evaluate(len(data))
    assert figures['acc/top1'] == 4 / 9 and figures['acc/unreadable'] == 2  # labels 0 1 0 1, two broken; 0 0 1
