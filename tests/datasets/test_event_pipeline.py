"""Event files through a data set's pipeline, as a training sees them: seeded, augmented, batched, and when damaged."""
import numpy as np
import pytest
import torch
from event_writers import random_events
from mmengine.dataset import pseudo_collate

from mmspike.datasets import DHP19Dataset
from mmspike.datasets.dhp19_files import EVENTS, LABELS, write_events, write_poses
from mmspike.models.preprocessors import EventDataPreprocessor
from mmspike.structures import project

HEIGHT, WIDTH = 64, 96
PIPELINE = [dict(type='LoadEvents', count=300),
            dict(type='DropEvents', share=(0, 0.3)), dict(type='AddNoiseEvents', rate=0.5), dict(type='FlipPolarity'),
            dict(type='EventsToBins'), dict(type='EventsToFrames', count=300, at=('start', 'stop')),
            dict(type='CropEvents', size=(48, 64), origin=(16, 8), jitter=6), dict(type='FlipEvents'),
            dict(type='PackPose')]


@pytest.fixture
def folder(tmp_path):
    """Three recordings of 0.5 s by one camera."""
    rng = np.random.default_rng(0)
    for k in range(3):
        poses = rng.uniform(-300, 300, (50, 13, 3)) + (0, 0, 3000)
        write_events(tmp_path / f'S1_session1_mov{k + 1}{EVENTS}', {3: random_events(5000, HEIGHT, WIDTH, 500_000, k)},
                     (HEIGHT, WIDTH), 500_000, compression='lzf')
        write_poses(tmp_path / f'S1_session1_mov{k + 1}{LABELS}', poses, np.arange(50) * 10_000)
    np.save(tmp_path / 'P2.npy', np.array([[300, 0, WIDTH / 2, 0], [0, 300, HEIGHT / 2, 0], [0, 0, 1, 0.]]))
    return tmp_path


def dataset(folder, **options):
    return DHP19Dataset(str(folder), subjects=[1], cameras=[3], window_ms=100, history=dict(count=300),
                        **(dict(pipeline=PIPELINE) | options))


def test_the_same_epoch_gives_the_same_sample_and_another_epoch_another(folder):
    data, again = dataset(folder), dataset(folder)
    one, other = data[4], again[4]
    assert torch.equal(one['inputs']['bins'], other['inputs']['bins'])
    assert torch.equal(one['data_samples'].gt_keypoints, other['data_samples'].gt_keypoints)
    again.set_epoch(1)
    assert not torch.equal(one['inputs']['bins'], again[4]['inputs']['bins'])


def test_points_in_space_stay_on_their_keypoints(folder):
    data = dataset(folder)
    for epoch in range(4):
        data.set_epoch(epoch)
        for sample in (data[k]['data_samples'] for k in range(len(data))):
            assert sample.image_shape == (48, 64) and sample.gt_visible.any()
            projected = project(sample.gt_keypoints_3d.numpy(), sample.projection)
            np.testing.assert_allclose(projected, sample.gt_keypoints, atol=1e-3)


def test_a_batch_goes_into_the_preprocessor(folder):
    data = dataset(folder)
    batch = EventDataPreprocessor(size_divisor=32)(pseudo_collate([data[k] for k in range(3)]))
    assert batch['inputs']['bins'].shape == (10, 3, 2, 64, 64) and batch['inputs']['bins'].dtype == torch.float32
    assert batch['inputs']['frames'].shape == (2, 3, 20, 64, 64)
    assert torch.equal(batch['inputs']['bins'][:, 1, :, :48], data[1]['inputs']['bins'].float())


def test_workers_give_what_the_process_itself_gives(folder):
    data = dataset(folder)
    expected = [data[k]['inputs']['bins'] for k in range(len(data))]
    loader = torch.utils.data.DataLoader(data, batch_size=1, num_workers=2, collate_fn=pseudo_collate)
    for k, batch in enumerate(loader):
        assert torch.equal(batch['inputs']['bins'][0], expected[k])


def test_a_recording_that_is_damaged_within_is_replaced_in_training(folder):
    data = dataset(folder)
    path = folder / f'S1_session1_mov2{EVENTS}'
    content = bytearray(path.read_bytes())
    content[8192:-4096] = bytes(len(content) - 8192 - 4096)
    path.write_bytes(content)
    names = {data[k]['data_samples'].sequence for k in range(len(data))}
    assert names == {'S1_session1_mov1', 'S1_session1_mov3'} and data.num_unreadable > 0
