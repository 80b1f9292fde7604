import pytest
import torch

from mmspike.structures import PoseDataSample, load_skeleton


def test_a_field_of_another_shape_is_refused():
    sample = PoseDataSample(gt_keypoints=torch.zeros(10, 13, 2), metainfo=dict(sequence='S1', camera=3))
    sample.pred_keypoints = torch.zeros(10, 13, 2)
    sample.gt_keypoints_3d = torch.zeros(10, 13, 3)
    assert sample.camera == 3
    with pytest.raises(ValueError, match=r'gt_visible has 9 bins and 13 joints, but gt_keypoints has 10 and 13'):
        sample.gt_visible = torch.ones(9, 13, dtype=torch.bool)
    with pytest.raises(ValueError, match=r'hold_keypoints has the shape \[13, 2\], expected \[T, K, 2\]'):
        sample.hold_keypoints = torch.zeros(13, 2)


def test_the_joints_of_dhp19():
    skeleton = load_skeleton('dhp19')
    assert len(skeleton.joints) == 13 and len(skeleton.edges) == 14
    assert {joint for edge in skeleton.edges for joint in edge} == set(range(13))
    mirrored = [skeleton.joints[k] for k in skeleton.flip]
    swapped = [j[:-1] + dict(R='L', L='R')[j[-1]] if j[-1] in 'RL' else j for j in skeleton.joints]
    assert mirrored == swapped


def test_an_unknown_skeleton_names_the_known():
    with pytest.raises(ValueError, match="no skeleton 'dhp'; known: dhp19"):
        load_skeleton('dhp')
