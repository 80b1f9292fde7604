"""The layout of DHP19: windows and labels as published, and as they should be."""
import pickle

import h5py
import numpy as np
import pytest
from golden_cases import differences, load_case

from mmspike.datasets import DHP19Dataset
from mmspike.datasets.events import EventFileError
from mmspike.structures import project

NAMES = ('const_count_first', 'const_count_last', 'const_count_200ms', 'const_count_cam2', 'const_duration_first',
         'const_duration_later', 'snn_only_300ms', 'snn_only_last', 'voxel')
CROP = dict(type='CropEvents', size=(256, 256), origin=(34, 2))


@pytest.fixture(scope='module')
def case(golden):
    return load_case(golden / 'cases/hybrid_dhp19_loader.pt')[0]


@pytest.fixture(scope='module')
def folder(case, tmp_path_factory):
    """The published loader's files."""
    root, given = tmp_path_factory.mktemp('dhp19'), case['inputs']
    write(root, {camera: {name: value.numpy() for name, value in given[f'cam{camera}_events'].items()}
                 for camera in (3, 2)}, given['XYZ_3d_poses'].numpy(), given['XYZ_timestamps'].numpy())
    for name, matrix in given['P'].items():
        np.save(root / f'{name}.npy', matrix.numpy())
    return root


def write(root, events, poses, times, stem='S1_session1_mov1', milliseconds=800):
    with h5py.File(root / f'{stem}_events.h5', 'w') as file:
        for camera, columns in events.items():
            for name, values in columns.items():
                file[f'cam{camera}_events/{name}'] = values
            file[f'cam{camera}_ms_to_idx'] = np.searchsorted(columns['t'], np.arange(milliseconds) * 1000)
    with h5py.File(root / f'{stem}_events_label.h5', 'w') as file:
        file['XYZ/3d_poses'], file['XYZ/timestamps'] = poses, times


def arguments(folder, options):
    history = None
    if options['cnn_input']:
        history = dict(count=7500) if options['constant_count'] else dict(ms=100)
    return dict(data_root=str(folder), subjects=[1], cameras=[options['cam_id']], window_ms=options['seq_len'],
                bin_ms=options['bin_length_per_stack'], step_ms=options['step_size'], history=history, legacy=True)


def pipeline(options):
    voxels = options['ev_repr'] == 'voxel_grid'
    steps = [dict(type='LoadEvents', count=7500, duration=100_000, legacy=True),
             dict(type='EventsToBins', kind='voxels' if voxels else 'histogram')]
    if options['cnn_input']:
        history = dict(count=7500) if options['constant_count'] else dict(duration=100_000)
        both = options['constant_count'] and options['seq_len'] == 100
        steps.append(dict(type='EventsToFrames', at=('start', 'stop') if both else ('start',), legacy=True, **history))
    return [*steps, CROP, dict(type='PackPose')]


def sparse(values):
    values = np.asarray(values)
    index = np.flatnonzero(values)
    return dict(shape=list(values.shape), index=index, value=values.reshape(-1)[index])


def landmarks(sample):
    """As published: NaN where masked, [2, T, K]."""
    return np.where(sample.gt_visible[..., None], sample.gt_keypoints, np.nan).transpose(2, 0, 1)


def one_hot(sample):
    points = landmarks(sample)  # [2, T, K]
    maps = np.zeros((*points.shape[1:], 256, 256), np.uint8)
    there = np.argwhere(~np.isnan(points[0]))
    x, y = points[:, *there.T].astype(int)
    maps[(*there.T, y, x)] = 1
    return maps


@pytest.mark.parametrize('name', NAMES)
def test_a_sample_is_the_published_one(case, folder, name):
    options, expected = case['inputs']['samples'][name], case['outputs'][name]
    dataset = DHP19Dataset(**arguments(folder, options), pipeline=pipeline(options))
    sample = dataset[options['index']]
    inputs, poses = sample['inputs'], sample['data_samples']
    got = dict(len=len(dataset), ms_start=poses.start_us / 1000, landmarks=landmarks(poses),
               ms_end=(poses.start_us + len(inputs['bins']) * poses.bin_us) / 1000, label=sparse(one_hot(poses)))
    if options['ev_repr'] == 'voxel_grid':
        bins = inputs['bins'].double()
        flat = bins.flatten(1)
        got['voxel'] = dict(shape=list(bins.shape), centre=bins[:, :, 112:144, 112:144],
                            per_bin=np.stack([flat.mean(1), flat.std(1, correction=0), flat.abs().sum(1)], 1))
    else:
        got['event_representation'] = sparse(inputs['bins'])
    if options['cnn_input']:
        frames = inputs['frames'] if len(inputs['frames']) == 2 else inputs['frames'][0]
        alone = DHP19Dataset(**arguments(folder, options), target='frames', pipeline=pipeline(options))
        looked = alone[options['index']]['data_samples']
        got |= dict(cnn_input=sparse(frames), cnn_landmarks=landmarks(looked)[:, 0],
                    cnn_label=sparse(one_hot(looked)[0]))
    # The published 3-D poses are float64, samples are float32
    truth = dataset.get_data_info(options['index'])['keypoints_3d'].swapaxes(1, 2)
    assert set(expected) - set(got) == {'label_3d'}
    assert differences(case, got | dict(label_3d=truth), expected, (name,)) == []


def test_all_windows_that_fit_are_taken_and_keypoints_keep_their_fraction(case, folder):
    options = case['inputs']['samples']['const_count_first']
    given = arguments(folder, options)
    published, ours = DHP19Dataset(**given), DHP19Dataset(**(given | dict(legacy=False)))
    assert (len(published), len(ours)) == (3, 4)
    assert ours[3]['stop'] == 800_000
    sample = ours[0]
    np.testing.assert_array_equal(np.round(sample['keypoints'][sample['keypoints_visible']]),
                                  published[0]['keypoints'][sample['keypoints_visible']])
    np.testing.assert_allclose(project(sample['keypoints_3d'], sample['projection']), sample['keypoints'])


def test_no_label_is_made_up_at_200_hz(folder):
    dataset = DHP19Dataset(str(folder), [1], bin_ms=5, history=None)
    visible = dataset[2]['keypoints_visible']
    assert visible.shape == (20, 13)
    assert visible[1::2].any(1).all() and not visible[::2].any()


def test_windows_begin_at_random_but_repeat_themselves(folder):
    given = dict(subjects=[1], cameras=[3], random_start_ms=10, history=None)
    dataset, same = (DHP19Dataset(str(folder), **given) for _ in range(2))
    starts = []
    for epoch in range(4):
        dataset.set_epoch(epoch)
        same.set_epoch(epoch)
        starts.append([dataset[index]['start'] for index in range(len(dataset))])
        assert starts[-1] == [same[index]['start'] for index in range(len(same))]
    starts = np.array(starts)
    assert (starts % 10_000 == 0).all() and (starts[0] != starts[1]).any() and starts.max() + 100_000 <= 800_000
    assert ((starts - np.arange(len(dataset)) * 100_000) // 100_000 == 0).all()


def test_files_stay_open_and_a_copy_opens_its_own(folder):
    dataset = DHP19Dataset(str(folder), [1], cameras=[3, 2])
    first = dataset[0]['event_file']
    assert dataset[1]['event_file'] is first
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy[0]['event_file'] is not first
    np.testing.assert_array_equal(copy[0]['keypoints'], dataset[0]['keypoints'])
    assert {dataset.get_data_info(index)['camera'] for index in range(len(dataset))} == {3, 2}


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no recording of the subjects \[1\] by the cameras \[3\]'):
        np.save(tmp_path / 'P2.npy', np.eye(3, 4))
        DHP19Dataset(str(tmp_path), [1])
    with pytest.raises(FileNotFoundError, match='P4.npy, the projection of camera 0, is missing'):
        DHP19Dataset(str(tmp_path), [1], cameras=[0])
    with pytest.raises(ValueError, match='there is no camera 4'):
        DHP19Dataset(str(folder), [1], cameras=[4])
    with pytest.raises(ValueError, match='a whole number of bins in a window, such as 100, 10 and 100'):
        DHP19Dataset(str(folder), [1], bin_ms=15)
    with pytest.raises(FileNotFoundError, match='long enough for a window of 900.0 ms'):
        DHP19Dataset(str(folder), [1], window_ms=900)
    with pytest.raises(ValueError, match="history is .*, expected dict"):
        DHP19Dataset(str(folder), [1], history=dict(events=7500))


def test_labels_written_in_part_are_an_error(folder, tmp_path):
    np.save(tmp_path / 'P2.npy', np.load(folder / 'P2.npy'))
    events = {3: dict(t=np.arange(0, 800_000, 100), **{name: np.ones(8000, int) for name in 'xyp'})}
    write(tmp_path, events, np.zeros((80, 3, 13)), np.arange(70) * 10_000)
    with pytest.raises(EventFileError, match='80 poses and 70 times of poses'):
        DHP19Dataset(str(tmp_path), [1])
