"""Joints to maps and back: places, borders, what is missing, parts of a pixel."""
import math

import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from mmspike.codecs import HeatmapCodec
from mmspike.registry import TASK_UTILS

SIZE = (24, 30)


def grid(height, width):
    """Every pixel as a joint: [H * W, 2]."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    return torch.stack([x, y], -1).flatten(0, 1).double()


def test_every_pixel_comes_back_and_has_the_height_of_one():
    joints = grid(*SIZE)
    codec = TASK_UTILS.build(dict(type='HeatmapCodec'))
    maps = codec.encode(joints, torch.ones(len(joints)), SIZE)
    places, scores = codec.decode(maps)
    assert maps.shape == (len(joints), *SIZE) and maps.dtype == torch.float64
    assert torch.equal(places, joints) and torch.equal(scores, torch.ones(len(joints), dtype=torch.float64))


def test_a_map_is_a_gaussian_on_a_square():
    maps = HeatmapCodec(sigma=2.0).encode(torch.tensor([[12., 9.]]), torch.ones(1), SIZE)[0]
    assert maps[9 + 3, 12 - 2] == pytest.approx(math.exp(-(9 + 4) / 8))
    assert maps[9 + 5, 12] > 0 and maps[9 + 6, 12] == 0 and (maps > 0).sum() == 121


@pytest.mark.parametrize('sigma', [2.0, 1.1, 2.6])
def test_legacy_is_the_published_blur_at_the_border_too(sigma):
    joints = grid(*SIZE)
    codec = HeatmapCodec(sigma, legacy=True)
    hot = torch.zeros(len(joints), *SIZE, dtype=torch.float64)
    hot[torch.arange(len(joints)), joints[:, 1].long(), joints[:, 0].long()] = 1
    blurred = gaussian_blur(hot, [2 * codec.radius + 1] * 2, [sigma] * 2)
    maps = codec.encode(joints, torch.ones(len(joints)), SIZE)
    assert torch.allclose(maps, blurred / blurred.amax((1, 2), keepdim=True), atol=1e-12)


def test_the_border_defect_is_the_legacy_alone():
    joint = torch.tensor([[2., 10.]])
    at = {legacy: HeatmapCodec(legacy=legacy).decode(HeatmapCodec(legacy=legacy).encode(joint, torch.ones(1), SIZE))[0]
          for legacy in (True, False)}
    assert at[True].tolist() == [[0, 10]] and at[False].tolist() == [[2, 10]]


def test_rounds_and_the_legacy_cuts():
    joint, visible = torch.tensor([[6.6, 3.4]]), torch.ones(1)
    for legacy, place in ((False, [7, 3]), (True, [6, 3])):
        codec = HeatmapCodec(legacy=legacy)
        assert codec.decode(codec.encode(joint, visible, SIZE))[0].tolist() == [place]


def test_what_is_missing_or_outside_is_an_empty_map():
    joints = torch.tensor([[5., 5], [5, 5], [math.nan, 5], [30, 5], [5, -1], [29.4, 23.4]])
    maps = HeatmapCodec().encode(joints, torch.tensor([1, 0, 1, 1, 1, 1]), SIZE)
    assert maps.flatten(1).amax(1).tolist() == [1, 0, 0, 0, 0, 1]


def test_leading_axes_are_kept():
    joints, visible = torch.rand(4, 2, 13, 2) * 20, torch.ones(4, 2, 13)
    maps = HeatmapCodec().encode(joints, visible, SIZE)
    places, scores = HeatmapCodec().decode(maps)
    assert maps.shape == (4, 2, 13, *SIZE) and places.shape == (4, 2, 13, 2) and scores.shape == (4, 2, 13)
    assert torch.equal(places, joints.round())


def test_parts_of_a_pixel_are_exact_for_a_gaussian():
    draw = torch.Generator().manual_seed(0)
    joints = 1 + torch.rand(200, 2, generator=draw, dtype=torch.float64) * torch.tensor([27., 21.])
    codec = HeatmapCodec(sigma=1.5, subpixel=True)
    places, _ = codec.decode(codec.encode(joints, torch.ones(200), SIZE))
    assert (places - joints).abs().max() < 1e-6
    whole = HeatmapCodec(sigma=1.5).decode(codec.encode(joints, torch.ones(200), SIZE))[0]
    assert torch.equal(whole, joints.round())


def test_parts_of_a_pixel_stay_within_half_a_pixel_on_any_map():
    maps = torch.randn(50, *SIZE, generator=torch.Generator().manual_seed(1))
    maps[0], maps[1] = 0, -1
    fine, whole = (HeatmapCodec(subpixel=subpixel).decode(maps)[0] for subpixel in (True, False))
    assert fine.isfinite().all() and (fine - whole).abs().max() <= 0.5
    assert torch.equal(fine[:2], whole[:2])


@pytest.mark.parametrize(('options', 'message'), [
    (dict(sigma=0.5), 'narrower than its pixel'),
    (dict(sigma=1.0, legacy=True), 'a kernel of 4 pixels, which has no centre.*legacy=False'),
    (dict(legacy=True, subpixel=True), 'exclude one another')])
def test_options_that_make_no_codec(options, message):
    with pytest.raises(ValueError, match=message):
        HeatmapCodec(**options)
