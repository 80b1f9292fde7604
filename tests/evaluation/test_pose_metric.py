"""Errors of poses, against the published functions and by hand."""
import csv
import json

import numpy as np
import pytest
import torch
from golden_cases import differences, load_case

from mmspike.codecs import HeatmapCodec
from mmspike.evaluation import correct_joints, joint_errors, mean_error
from mmspike.evaluation.pose import nan_mean
from mmspike.registry import METRICS
from mmspike.structures import PoseDataSample, load_skeleton, project

META = dict(skeleton='dhp19', joints=load_skeleton('dhp19').joints)
VIEWS = {3: np.array([[95., 0, 32, 102400], [0, 95, 32, 102400], [0, 0, 1, 3200]]),
         2: np.array([[32., 0, -95, 102400], [32, 95, 0, 102400], [1, 0, 0, 3200]])}


@pytest.mark.parametrize('name', ['', '_one_image_all_nan'])
def test_flat_error_as_published(golden, name):
    case, _ = load_case(golden / 'cases/hybrid_pose_metrics.pt')
    found, _ = HeatmapCodec().decode(case['inputs']['heatmaps'])  # [3, 13, 2]
    target = case['inputs'][f'target{name}'].numpy().transpose(0, 2, 1)
    got = dict(landmarks=found.transpose(1, 2), **{f'mpjpe{name}': mean_error(joint_errors(found, target))})
    assert differences(case, got) == []


@pytest.mark.parametrize('name', ['value', 'value_all'])
def test_error_in_space_as_published(golden, name):
    case, _ = load_case(golden / 'cases/hybrid_geometry.pt')
    given = {key: value.numpy() for key, value in case['inputs']['mpjpe_3d'].items()}
    seen = given['mask'].all(-1) if name == 'value' else None
    errors = joint_errors(given['pred'][:, 0], given['target'], seen)
    error = mean_error(errors)
    if name == 'value':  # with joints missing, the published function rounds the mean of each pose to float32
        poses = nan_mean(errors, -1).astype(np.float32)
        assert error == pytest.approx(poses.astype(float).mean(), rel=1e-7)
        error = poses.mean()
    assert differences(case, dict(mpjpe_3d={name: error})) == []


def test_poses_with_many_joints_count_more_in_a_mean_over_joints():
    errors = np.array([[1., 1, 1], [4, np.nan, np.nan], [np.nan] * 3])
    assert mean_error(errors) == 2.5
    assert mean_error(errors, 'joint') == 7 / 4
    assert np.isnan(mean_error(errors[2:]))
    with pytest.raises(ValueError, match="average is 'bin', expected 'pose' or 'joint'"):
        mean_error(errors, 'bin')


def test_a_joint_is_correct_within_a_share_of_the_torso():
    true = np.array([[[0., 0], [0, 10], [5, 5]]] * 2)
    visible = np.array([[True, True, True], [True, False, True]])
    errors = joint_errors(true + [0, 2], true, visible)
    np.testing.assert_array_equal(correct_joints(errors, true, visible, (0, 1), 0.2), [[1, 1, 1], [np.nan] * 3])
    np.testing.assert_array_equal(correct_joints(errors, true, visible, (0, 1), 0.19), [[0, 0, 0], [np.nan] * 3])


def samples(steps=2, windows=3, shift=1.0, views=(3, 2), **changes):
    """Poses in space and what the views see of them; predictions are off by ``shift`` pixels, held ones by 2."""
    made = []
    for window in range(windows):
        space = np.random.default_rng(window).uniform(-800, 800, (steps, 13, 3))
        for camera in views:
            pixels = project(space, VIEWS[camera])
            sample = PoseDataSample(
                gt_keypoints=torch.tensor(pixels), gt_visible=torch.ones(steps, 13, dtype=torch.bool),
                gt_keypoints_3d=torch.tensor(space), pred_keypoints=torch.tensor(pixels + [shift, 0]),
                hold_keypoints=torch.tensor(pixels + [0, 2.]),
                metainfo=dict(sequence='S1', camera=camera, start_us=100_000 * window, bin_us=10_000,
                              projection=VIEWS[camera]))
            made.append(sample.to_dict() | changes)
    return made


def evaluate(given, **options):
    metric = METRICS.build(dict(type='PoseMetric', **options))
    metric.dataset_meta = META
    metric.process({}, given)
    return metric.evaluate(len(given))


def test_figures_in_the_picture_and_in_space():
    figures = evaluate(samples())
    assert {name: pytest.approx(value) for name, value in {
        'pose/mpjpe': 1, 'pose/mpjpe_first': 1, 'pose/mpjpe_last': 1, 'pose/hold': 2, 'pose/of_hold': 0.5}.items()
    }.items() <= figures.items()
    assert 0 < figures['pose/mpjpe_3d'] < figures['pose/hold_3d']
    assert evaluate(samples(shift=0))['pose/mpjpe_3d'] < 1e-8


def test_space_needs_two_views_and_the_views_asked_for():
    assert 'pose/mpjpe_3d' not in evaluate(samples(views=(3,)))
    assert 'pose/mpjpe_3d' not in evaluate(samples(), views=(3, 1))
    assert evaluate(samples(), views=(3, 2)) == evaluate(samples())
    with pytest.raises(ValueError, match='two or more cameras'):
        METRICS.build(dict(type='PoseMetric', views=(3,)))


def test_every_bin_has_its_own_label_and_bins_without_one_do_not_count():
    given = samples(steps=4)
    for sample in given:
        sample['gt_visible'][::2] = False
        sample['pred_keypoints'][1] += 1
    figures = evaluate(given)
    assert figures['pose/mpjpe_first'] == pytest.approx(5**0.5) and figures['pose/mpjpe_last'] == pytest.approx(1)
    assert figures['pose/mpjpe'] == pytest.approx((1 + 5**0.5) / 2)


def test_tables_are_written(tmp_path):
    figures = evaluate(samples(), out=str(tmp_path / 'results/pose'))
    content = json.loads((tmp_path / 'results/pose.json').read_text())
    assert content['figures']['mpjpe'] == pytest.approx(figures['pose/mpjpe']) and content['windows'] == 6
    assert [row['ms'] for row in content['bins']] == [10, 20]
    with open(tmp_path / 'results/pose_joints.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['joint'] for row in rows] == list(META['joints'])
    assert all(float(row['mpjpe']) == pytest.approx(1) and row['poses'] == '12' for row in rows)
    with open(tmp_path / 'results/pose_bins.csv', newline='') as file:
        assert len(list(csv.DictReader(file))) == 2


def test_what_cannot_be_compared_is_named():
    wrong = samples()
    wrong[0]['pred_keypoints'] = wrong[0]['pred_keypoints'][:1]
    with pytest.raises(ValueError, match=r'S1 at 0 ms has labels .* \[2, 13, 2\], but the model gives pred_keypoints'):
        evaluate(wrong)
    wrong = samples()
    wrong[3]['pred_keypoints'][0, 0, 0] = np.inf
    with pytest.raises(ValueError, match='S1 at 100 ms are not finite; the model has diverged'):
        evaluate(wrong)
    with pytest.raises(ValueError, match='windows of .*2, 13.* and .*3, 13.* bins and joints'):
        evaluate(samples() + samples(steps=3))
    with pytest.raises(ValueError, match='no sample was evaluated'):
        METRICS.build(dict(type='PoseMetric')).compute_metrics([])
