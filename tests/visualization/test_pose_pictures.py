"""Events, skeletons and charts as pictures."""
import cv2
import numpy as np
import pytest
import torch

from mmspike.registry import VISUALIZERS
from mmspike.structures import PoseDataSample, load_skeleton
from mmspike.visualization import draw_skeletons, energy_chart, event_picture, frame_picture, label_picture
from mmspike.visualization.event_picture import BRIGHTER, DARKER, PAPER, PREDICTED, TRUTH

EDGES = load_skeleton('dhp19').edges


def test_events_have_the_colour_of_their_polarity():
    counts = np.zeros((2, 3, 4))
    counts[0, 0, 0], counts[1, 1, 2], counts[:, 2, 3] = 3, 9, 5
    picture = event_picture(counts)
    assert picture.shape == (3, 4, 3) and picture.dtype == np.uint8
    assert tuple(picture[0, 0]) == DARKER and tuple(picture[1, 2]) == BRIGHTER and tuple(picture[0, 1]) == PAPER
    assert (picture[2, 3] == np.round(np.mean([DARKER, BRIGHTER], 0))).all()
    half = event_picture(counts / 4)[0, 0]
    assert all(min(a, b) < c < max(a, b) for a, b, c in zip(DARKER, PAPER, half, strict=True) if a != b)


def test_what_a_cnn_looks_at():
    stack = np.zeros((20, 4, 5))
    stack[[3, 7, 9], 1, 1], stack[12:, 2, 2] = 1, 1
    picture = frame_picture(stack)
    assert tuple(picture[1, 1]) == DARKER and tuple(picture[2, 2]) == BRIGHTER
    assert np.array_equal(frame_picture(np.full((1, 2, 2), 77)), np.full((2, 2, 3), 77))
    assert np.array_equal(frame_picture(np.full((3, 2, 2), 0.2)), np.full((2, 2, 3), 51))


def test_a_skeleton_lies_on_the_middle_of_its_pixels():
    joints = np.full((13, 2), np.nan)
    joints[1], joints[3] = (10, 20), (30, 20)  # right shoulder, right elbow
    picture = draw_skeletons(np.full((32, 64, 3), 255, np.uint8), [(joints, None, PREDICTED)], EDGES)
    assert picture.shape == (128, 256, 3)  # four times as large
    drawn = np.argwhere((picture == PREDICTED).all(-1))
    assert drawn[:, 1].min() in range(38, 44) and drawn[:, 1].max() in range(120, 126)
    assert abs(drawn[:, 0].mean() - 81.5) < 1


def test_unknown_joints_and_their_limbs_are_left_out():
    joints, known = np.full((13, 2), 20.), np.zeros(13, bool)
    blank = np.full((64, 300, 3), 255, np.uint8)
    assert np.array_equal(draw_skeletons(blank, [(joints, known, TRUTH)], EDGES), blank)
    assert not np.array_equal(draw_skeletons(blank, [(joints, ~known, TRUTH)], EDGES), blank)


def test_words_stand_on_a_strip_of_their_own():
    picture = label_picture(np.zeros((10, 200, 3), np.uint8), [('one', TRUTH), ('two', PREDICTED)])
    assert picture.shape == (34, 200, 3) and (picture[24:] == 0).all()
    for colour in (TRUTH, PREDICTED):
        assert (np.abs(picture[:24].astype(int) - colour).max(-1) < 60).any()


@pytest.mark.parametrize('names', [('bins',), ('frames',), ('frames', 'bins')])
def test_the_visualizer_draws_whatever_there_is(tmp_path, names):
    inputs = {'bins': torch.randint(0, 3, (4, 2, 32, 32)), 'frames': torch.randint(0, 3, (1, 20, 32, 32))}
    steps = 4 if 'bins' in names else 1
    pose = torch.rand(steps, 13, 2) * 30
    sample = PoseDataSample(gt_keypoints=pose, gt_visible=torch.ones(steps, 13, dtype=torch.bool),
                            pred_keypoints=pose + 1)
    sheets = []
    for label, drawn in (('with', sample), ('without', None)):
        visualizer = VISUALIZERS.build(dict(type='PoseVisualizer', name=f'{label}_{names}'))
        visualizer.dataset_meta = dict(skeleton='dhp19')
        visualizer.add_datasample('a window', {name: inputs[name] for name in names}, drawn,
                                  out_file=tmp_path / f'{label}.png')
        sheets.append(cv2.imread(str(tmp_path / f'{label}.png')))
    for colour in (TRUTH, PREDICTED):
        near = [(np.abs(sheet[..., ::-1].astype(int) - colour).max(-1) < 40).sum() for sheet in sheets]
        assert near[0] > near[1] + 20


def test_energy_chart_has_a_point_per_model():
    figure = energy_chart({'CNN': (371.8, 5.03), 'hybrid': (42.4, 5.19)})
    axes, = figure.axes
    assert [tuple(points.get_offsets()[0]) for points in axes.collections] == [(371.8, 5.03), (42.4, 5.19)]
    assert [text.get_text() for text in axes.texts] == ['CNN', 'hybrid'] and axes.get_xscale() == 'log'
    with pytest.raises(ValueError, match=r"\{'SNN': \(0, 3\.0\)\}; expected a positive energy"):
        energy_chart({'SNN': (0, 3.0)})
    with pytest.raises(ValueError, match='no models'):
        energy_chart({})
