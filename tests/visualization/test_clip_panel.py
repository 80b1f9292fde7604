import numpy as np
import pytest

from mmspike.visualization import clip_panel, contact_sheet, residual_frames, to_array
from mmspike.visualization.clip_panel import _ranking
from mmspike.visualization.page import shared_prefix, shorten


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (8, 24, 32, 3), dtype=np.uint8)


def test_residuals_are_differences_from_the_own_key_frame(frames):
    keys, residuals = residual_frames(frames, 4)
    np.testing.assert_array_equal(keys, frames[[0, 4]])
    assert residuals.shape == (2, 3, 24, 32)
    expected = frames[6].astype(float).mean(-1) - frames[4].astype(float).mean(-1)
    np.testing.assert_allclose(residuals[1, 1], expected)
    assert residuals.min() < 0 < residuals.max()  # signed


def test_residuals_agree_with_the_models_own_split(frames):
    import torch

    from mmspike.models.layers import split_key_frames
    clip = torch.from_numpy(frames).double().permute(0, 3, 1, 2)[None]  # [1, T, 3, H, W]
    key, residual = split_key_frames(clip, 2)
    keys, ours = residual_frames(frames, 2)
    np.testing.assert_array_equal(keys.transpose(0, 3, 1, 2), key.numpy())
    np.testing.assert_allclose(ours, residual.mean(2).transpose(0, 1).numpy(), atol=1e-10)


@pytest.mark.parametrize('stride', [3, 0])
def test_a_stride_that_does_not_fit_is_an_error(frames, stride):
    with pytest.raises(ValueError, match=f'8 frames cannot be cut into groups of {stride}'):
        clip_panel(frames, stride)


def test_wrong_axes_are_an_error(frames):
    with pytest.raises(ValueError, match=r'expected \[T, H, W, 3\]'):
        residual_frames(frames.transpose(0, 3, 1, 2), 4)


def test_panel_holds_every_part(frames):
    rates = {'backbone.snn.a.lif1': np.array([0.125, 0.5, 0.]), 'backbone.snn.b.lif1': np.array([0.25])}
    figure = clip_panel(frames, 4, scores=np.array([0.1, 0.7, 0.2]), classes=['run', 'jump', 'sit'], truth=2,
                        rates=rates, rates_note='one clip', title='video.mp4')
    words = _words(figure)
    assert {'video.mp4', 'key frame', 'frame 1', 'frame 5', 'residual\nt = 3'} <= words
    assert {'1  jump', '2  sit (true)', '3  run', '70.0 %'} <= words
    assert {'neurons that fire, % (one clip)', 'a.lif1', 'b.lif1', '12.5', '50.0', '0.0', '25.0'} <= words
    pictures = sum(len(axes.images) for axes in figure.axes)
    assert pictures == 8 + 1  # two groups of four, and the rates
    image = to_array(figure)
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    assert 0.2 < (image.min(-1) == 255).mean() < 0.95  # something is drawn, on white


def test_the_key_frame_is_drawn_as_it_is_and_residuals_on_one_scale(frames):
    figure = clip_panel(frames, 4)
    drawn = [axes.images[0] for axes in figure.axes if axes.images]
    np.testing.assert_array_equal(drawn[0].get_array(), frames[0])
    limits = {picture.get_clim() for picture in drawn if picture.get_array().ndim == 2}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high


@pytest.mark.parametrize(('stride', 'length', 'shown'), [(1, 32, 16), (2, 32, 8), (4, 48, 8), (4, 16, 4)])
def test_groups_that_do_not_fit_are_left_out_and_it_is_said(stride, length, shown):
    figure = clip_panel(np.zeros((length, 8, 8, 3), np.uint8), stride)
    assert sum(len(axes.images) for axes in figure.axes) == shown * stride
    said = any(f'the first {shown} shown' in word for word in _words(figure))
    assert said == (length // stride > shown)


def test_the_true_class_is_listed_even_when_it_is_not_among_the_best():
    scores = np.array([0.4, 0.05, 0.3, 0.25])
    assert _ranking(scores, truth=1, topk=2) == [(1, 0, 0.4), (2, 2, 0.3), (4, 1, 0.05)]
    assert _ranking(scores, truth=None, topk=9)[-1] == (4, 1, 0.05)


def test_names():
    assert shared_prefix(['a.b.c', 'a.b.d.e']) == ('a.b', ['c', 'd.e'])
    assert shared_prefix(['a.b']) == ('a', ['b'])
    assert shared_prefix(['x', 'y']) == ('', ['x', 'y'])
    assert shared_prefix(['a.stages.0.lif', 'a.stages.1.lif']) == ('a', ['stages.0.lif', 'stages.1.lif'])
    assert shorten('x' * 30, 10) == 'x' * 9 + '…'
    assert shorten('short') == 'short'


def test_contact_sheet_draws_every_frame(frames):
    figure = contact_sheet([('decoded', frames), ('model input', frames[:3, :16])], 'jump', columns=4)
    assert sum(len(axes.images) for axes in figure.axes) == 11
    assert {'jump', 'decoded: 8 frames of 32x24', 'model input: 3 frames of 32x16'} <= _words(figure)


def _words(figure) -> set[str]:
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.title, axes.xaxis.label]
    return {text.get_text() for text in texts}
