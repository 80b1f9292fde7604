"""The layout of Event-Human3.6m: windows, labels every 20 ms, and the images that a CNN looks at."""
import h5py
import numpy as np
import pytest
from PIL import Image

from mmspike.datasets import EventH36MDataset
from mmspike.datasets.events import EventFileError
from mmspike.datasets.transforms import LoadFrameImages

CODE = '54138969'  # of camera 0


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root, rng = tmp_path_factory.mktemp('h36m'), np.random.default_rng(0)
    with h5py.File(root / 'labels.h5', 'w') as labels:
        for subject, action in ((1, 'Walking 1'), (1, 'ALL'), (9, 'Greeting'), (11, 'Phoning')):
            name = f'{action.replace(" ", "_")}.{CODE}'
            recording = root / f'S{subject}/upsample/{name}'
            recording.mkdir(parents=True)
            t = np.sort(rng.integers(0, 500_000_000, 12_000))  # ns
            with h5py.File(recording / 'events.h5', 'w') as file:
                file['events/t'], file['events/p'] = t, rng.integers(0, 2, len(t))
                file['events/x'], file['events/y'] = rng.integers(0, 320, len(t)), rng.integers(0, 256, len(t))
                file['ms_to_idx'] = np.searchsorted(t, np.arange(500) * 1_000_000)
                file['cam_view'] = 0
            points = np.stack([np.arange(26)[:, None] * 10 + np.arange(13), np.full((26, 13), 100)], 1) + 0.4
            points[3, :, 2] = np.nan, 400
            labels[f'S{subject}/{action}/cam_view_0'] = points  # [26, 2, 13]
            labels[f'S{subject}/{action}/timestamps_ms'] = np.arange(26) * 20
            for images, values in ((recording / 'imgs', range(6)),
                                   (root / f'videos/S{subject}/Videos/{name}/imgs', range(0, 250, 10))):
                images.mkdir(parents=True)
                for number, value in enumerate(values):
                    Image.new('RGB', (320, 256), (value, 0, 5)).save(images / f'{number:06d}.png')
            np.savetxt(recording / 'timestamps.txt', np.array([0, 0.03, 0.1, 0.2, 0.26, 0.3]))
    return root


def test_labels_are_those_of_the_bins_that_have_one(folder):
    dataset = EventH36MDataset(str(folder), [1], window_ms=100, bin_ms=10)
    assert len(dataset) == 5
    sample = dataset[1]
    assert (sample['sequence'], sample['start'], sample['image_shape']) == ('S1/Walking 1', 100_000, (256, 320))
    visible, keypoints = sample['keypoints_visible'], sample['keypoints']
    assert visible[1::2].all() and not visible[::2].any()
    np.testing.assert_allclose(keypoints[1::2, 0, 0], [60.4, 70.4, 80.4, 90.4, 100.4])  # of 120, 140, ... ms
    assert 'projection' not in sample
    np.testing.assert_array_equal(EventH36MDataset(str(folder), [1], legacy=True)[1]['keypoints'][1, 0], [60, 100])


def test_a_joint_that_is_no_number_or_outside_is_not_visible(folder):
    sample = EventH36MDataset(str(folder), [1], bin_ms=20)[0]
    assert sample['keypoints_visible'].shape == (5, 13)
    assert not sample['keypoints_visible'][2, 2] and sample['keypoints_visible'].sum() == 5 * 13 - 1


def test_recordings_that_are_damaged_or_joined_are_left_out(folder):
    dataset = EventH36MDataset(str(folder), [1, 9, 11])
    assert {info['sequence'] for info in map(dataset.get_data_info, range(len(dataset)))} == {
        'S1/Walking 1', 'S11/Phoning'}


def test_the_pose_of_a_frame_is_that_of_its_moment(folder):
    sample = EventH36MDataset(str(folder), [1], target='frames', images='rgb', image_root='videos')[1]
    np.testing.assert_allclose(sample['keypoints'][0, 0], [50.4, 100.4])


def test_images_of_the_video_and_of_the_simulator(folder):
    video = EventH36MDataset(str(folder), [1], images='rgb', image_root='videos')[1]
    colours = LoadFrameImages('rgb', at=('start', 'stop'))(video)['frames']
    assert colours.shape == (2, 3, 256, 320) and colours.dtype == np.float32
    np.testing.assert_allclose(colours[:, 0, 0, 0] * 255, [50, 100], rtol=1e-6)  # 100 and 200 ms
    np.testing.assert_allclose(colours[:, 2, 0, 0] * 255, 5, rtol=1e-6)
    grey = EventH36MDataset(str(folder), [1], images='grey')
    assert LoadFrameImages('grey')(grey[2])['frames'].shape == (1, 1, 256, 320)
    assert set(grey[1]['frame_files']) == {'start', 'stop'} and set(grey[3]['frame_files']) == {'start'}
    with pytest.raises(EventFileError, match='no grey image of 400 ms, the stop of a window; let windows begin where'):
        LoadFrameImages('grey', at=('start', 'stop'))(grey[3])


def test_events_for_a_cnn_that_sees_events(folder):
    pipeline = [dict(type='LoadEvents', count=7500), dict(type='EventsToBins'),
                dict(type='EventsToFrames', count=7500), dict(type='PackPose')]
    dataset = EventH36MDataset(str(folder), [1], history=dict(count=7500), pipeline=pipeline)
    sample = dataset[0]
    assert sample['data_samples'].start_us == 400_000  # the 7,500th event is at about 312 ms
    assert sample['inputs']['bins'].shape == (10, 2, 256, 320)
    assert sample['inputs']['frames'].sum() == 7500


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match='labels.h5, the poses of all recordings, is missing'):
        EventH36MDataset(str(tmp_path), [1])
    with pytest.raises(FileNotFoundError, match=r'no images \(\*.png\) in .*; give image_root'):
        EventH36MDataset(str(folder), [1], images='rgb', image_root='nowhere')[0]
    with pytest.raises(ValueError, match="images is 'depth', expected 'rgb', 'grey' or None"):
        EventH36MDataset(str(folder), [1], images='depth')
