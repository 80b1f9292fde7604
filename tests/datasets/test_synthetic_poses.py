"""The moving figure: events that fit its motion, poses that fit its cameras, files in the layout of DHP19."""
import json

import h5py
import numpy as np
import pytest

from mmspike.datasets import SyntheticPoses
from mmspike.datasets.moving_figure import (
    MOTIONS,
    draw_body,
    draw_motion,
    draw_paint,
    paint_frames,
    pixels_per_mm,
    pose_body,
    release_cameras,
    simulate_events,
)
from mmspike.datasets.synthetic_poses import make_sequence
from mmspike.structures import load_skeleton, picture_projection, project, triangulate

SMALL = dict(num_sequences=dict(train=2, val=1, test=1), seconds=0.5, size=64)
JOINTS = {name: k for k, name in enumerate(load_skeleton('dhp19').joints)}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp('set') / 'poses'
    SyntheticPoses(str(root), **SMALL)
    return root


def poses_of(name, seed=0, seconds=2.):
    rng = np.random.default_rng(seed)
    body = draw_body(rng)
    return body, pose_body(body, draw_motion(name, np.arange(0, seconds, 0.01), rng))


@pytest.mark.parametrize('name', MOTIONS)
def test_bones_keep_their_lengths_and_the_figure_stands_and_stays_in_the_picture(name):
    body, poses = poses_of(name)
    for side in 'RL':
        for bone, (one, other) in dict(upper_arm=('shoulder', 'elbow'), forearm=('elbow', 'hand'),
                                       thigh=('hip', 'knee'), shank=('knee', 'foot')).items():
            length = np.linalg.norm(poses[:, JOINTS[one + side]] - poses[:, JOINTS[other + side]], axis=-1)
            np.testing.assert_allclose(length, body[bone])
    assert (poses[..., 2].min(1) < 200).all() and (poses[..., 2] > -1e-9).all()
    for projection, _ in release_cameras(64).values():
        pixels = project(poses, picture_projection(projection, 64))
        assert ((pixels > -0.5) & (pixels < 63.5)).mean() > 0.98


def test_the_figure_faces_its_first_cameras_with_its_right_side_on_their_left():
    _, poses = poses_of('march')
    projection, centre = release_cameras(64)[3]
    pixels = project(poses, picture_projection(projection, 64))
    assert (pixels[:, JOINTS['head'], 1] < pixels[:, JOINTS['footR'], 1]).all()
    assert (pixels[:, JOINTS['hipR'], 0] < pixels[:, JOINTS['hipL'], 0]).mean() > 0.9
    np.testing.assert_allclose(np.linalg.norm(centre[:2]), 3200)


def test_the_pose_moves_between_looks_of_a_cnn():
    """A pose a tenth of a second old is wrong by pixels, in every motion."""
    projection = picture_projection(release_cameras(64)[3][0], 64)
    for name in MOTIONS:
        pixels = [project(poses_of(name, seed)[1], projection) for seed in range(4)]
        assert np.mean([np.linalg.norm(p[10:] - p[:-10], axis=-1).mean() for p in pixels]) > 1.5, name


def test_a_joint_is_where_it_is_painted():
    """The head is a disc around its joint: the middle of what differs from the wall, to a tenth of a pixel."""
    _, poses = poses_of('wave')
    projection, centre = release_cameras(64)[3]
    pixels = project(poses[:3], picture_projection(projection, 64))
    paint = draw_paint(64, np.random.default_rng(0))
    paint.wall[:] = 20
    head = paint_frames(pixels, np.linalg.norm(poses[:3] - centre, axis=-1), paint, pixels_per_mm(64))
    x, y = np.round(pixels[:, JOINTS['head']]).astype(int).T
    for frame, column, row, joint in zip(head.astype(float), x, y, pixels[:, JOINTS['head']], strict=True):
        part = frame[row - 6:row + 7, column - 6:column + 7] - 20
        rows, columns = np.mgrid[row - 6:row + 7, column - 6:column + 7]
        part[rows > row + 4] = 0  # shoulders
        part[abs(rows - joint[1]) > 4.5] = 0
        assert abs((part * columns).sum() / part.sum() - joint[0]) < 0.15


def test_events_count_the_steps_of_log_intensity():
    """A pixel that brightens by a factor gives log(factor) / threshold events, and one that does not gives none."""
    frames = np.full((11, 8, 8), 40, np.uint8)
    frames[:, :, 4:] = np.round(np.geomspace(40, 200, 11)).astype(np.uint8)[:, None, None]
    events = simulate_events(frames, 1000, np.random.default_rng(0))
    moving = events['x'] >= 4
    assert (events['p'][moving] == 1).mean() > 0.99
    assert abs(moving.sum() / 32 - np.log(5) / 0.25) < 0.5
    assert (~moving).sum() < 3  # noise
    assert (np.diff(events['t']) >= 0).all() and events['t'].min() >= 0 and events['t'].max() < 11_000
    assert len(np.unique(events['t'][moving] % 1000)) > 100, 'crossings lie between frames, not on them'


def test_a_sequence_is_the_same_whatever_else_is_made():
    (poses, events), (same, fewer) = make_sequence(3, 0.3, (3, 2)), make_sequence(3, 0.3, (2,))
    np.testing.assert_array_equal(poses, same)
    np.testing.assert_array_equal(events[2]['t'], fewer[2]['t'])
    assert (make_sequence(8, 0.3, ())[0] != poses).any()


def test_files_are_in_the_layout_of_dhp19(folder):
    assert sorted(file.name for file in folder.glob('*.npy')) == ['P2.npy', 'P3.npy']
    with h5py.File(folder / 'S2_session1_mov2_events.h5') as file:
        group, index = file['cam3_events'], file['cam3_ms_to_idx'][:]
        t = group['t'][:]
        assert group['x'][:].min() >= 1 and group['x'][:].max() <= 64
        assert len(index) == 500 and (np.searchsorted(t, np.arange(500) * 1000) == index).all()
    with h5py.File(folder / 'S2_session1_mov2_events_label.h5') as file:
        assert file['XYZ/3d_poses'].shape == (50, 3, 13) and file['XYZ/timestamps'][1] == 10_000
    stamp = json.loads((folder / 'made_by_mmspike.json').read_text())
    assert stamp['cameras'] == [3, 2] and stamp['num_sequences'] == SMALL['num_sequences']


def test_splits_have_different_persons_and_views_triangulate(folder):
    files = {}
    for split in ('train', 'val', 'test'):
        dataset = SyntheticPoses(str(folder), split, cameras=(3, 2), label_lag_ms=0, **SMALL)
        files[split] = {dataset.get_data_info(index)['sequence'] for index in range(len(dataset))}
    assert [len(names) for names in files.values()] == [2, 1, 1] and len(set.union(*files.values())) == 4
    views = [next(info for info in map(dataset.get_data_info, range(len(dataset)))
                  if info['camera'] == camera) for camera in (3, 2)]
    points = triangulate(np.stack([view['keypoints'].reshape(-1, 2) for view in views]),
                         np.stack([view['projection'] for view in views]))
    assert np.abs(points.reshape(10, 13, 3)[:-1] - views[0]['keypoints_3d'][:-1]).max() < 1e-8


@pytest.mark.parametrize('options, message', [
    (dict(split='dev'), "split is 'dev', expected 'train', 'val' or 'test'"),
    (dict(num_sequences=dict(train=3)), 'a positive number for each of train, val and test'),
    (dict(size=70), 'a positive multiple of 32, got 70; take 64'),
    (dict(cameras=(1,)), r'cameras=\(1,\) and made_cameras=\(3, 2\)'),
])
def test_what_cannot_be_made_is_named(folder, options, message):
    with pytest.raises(ValueError, match=message):
        SyntheticPoses(str(folder), **(SMALL | options))
