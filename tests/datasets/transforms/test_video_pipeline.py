"""From file to packed clip, through mmaction's transforms."""
import json
import random

import numpy as np
import pytest
import torch

from mmspike.datasets import VideoReadError
from mmspike.datasets.transforms import PackClip, VideoInit
from mmspike.registry import TRANSFORMS

MULTI_SCALE_CROP = dict(type='mmaction.MultiScaleCrop', input_size=224, scales=(1, .875, .75, .66),
                        max_wh_scale_gap=1, random_crop=False, num_fixed_crops=13)


def run(results, *steps):
    for step in steps:
        results = TRANSFORMS.build(step)(results)
    return results


def numbered(num_frames, height=12, width=16):
    """Frames whose channels hold frame number, row and column."""
    rows, columns = np.mgrid[:height, :width]
    return [np.stack([np.full_like(rows, frame), rows, columns], -1).astype(np.uint8) for frame in range(num_frames)]


def test_multi_scale_crop_equals_the_published_one(golden):
    rows = json.loads((golden / 'units/respike_multiscalecrop.json').read_text())['rows']
    assert len(rows) == 42
    crop = TRANSFORMS.build(MULTI_SCALE_CROP)
    for row in rows:
        x, y = np.meshgrid(np.arange(row['w']), np.arange(row['h']))
        random.seed(row['seed'])
        out = crop(dict(imgs=[np.stack([x, y], -1)], img_shape=(row['h'], row['w']), modality='RGB'))['imgs'][0]
        assert [out.shape[1], out.shape[0], *out[0, 0]] == row['crop_w_h_x_y'], row


def test_training_pipeline(tmp_path, make_video):
    path = make_video(tmp_path / 'clip.avi', size=(64, 48))
    out = run(dict(filename=str(path), label=3, sample_idx=5), dict(type='VideoInit'),
              dict(type='SampleSegments', num_segments=8), dict(type='VideoDecode'),
              dict(MULTI_SCALE_CROP, input_size=32), dict(type='mmaction.Resize', scale=(32, 32), keep_ratio=False),
              dict(type='mmaction.Flip', flip_ratio=1), dict(type='PackClip'))
    sample = out['data_samples']
    assert out['inputs'].shape == (1, 8, 32, 32, 3) and out['inputs'].dtype == torch.uint8
    assert sample.gt_labels.item.tolist() == [3]
    assert (sample.filename, sample.total_frames, sample.num_clips, sample.sample_idx) == (str(path), 20, 1, 5)
    assert (sample.original_shape, sample.img_shape) == ((48, 64), (32, 32))
    assert len(sample.frame_indices) == 8 and 'unreadable' not in sample
    assert sample.frame_indices == sorted(sample.frame_indices)
    top = out['inputs'][0, :, 0].float().mean((1, 2))
    np.testing.assert_allclose(top, [10 * (index + 1) for index in sample.frame_indices], atol=1)


@pytest.mark.parametrize('crop, crops', [
    (dict(type='mmaction.ThreeCrop', crop_size=12), 3), (dict(type='mmaction.TenCrop', crop_size=8), 10),
    (dict(type='mmaction.CenterCrop', crop_size=8), 1), (dict(type='mmaction.RandomResizedCrop'), 1)])
def test_views_are_crop_by_crop_and_clip_by_clip(crop, crops):
    imgs = numbered(6)  # two clips of three frames
    out = run(dict(imgs=imgs, img_shape=(12, 16), modality='RGB', clip_len=3, num_clips=2), crop, dict(type='PackClip'))
    views = out['inputs']
    assert views.shape[:2] == (2 * crops, 3)
    assert views[:, :, 0, 0, 0].tolist() == [[0, 1, 2], [3, 4, 5]] * crops
    if crop['type'] == 'mmaction.ThreeCrop':  # left, right, middle in mmaction 1.1.0
        assert views[:, 0, 0, 0, 2].tolist() == [0, 0, 4, 4, 2, 2]


def test_resize_of_the_short_side():
    out = run(dict(imgs=numbered(2), img_shape=(12, 16), modality='RGB'), dict(type='mmaction.Resize', scale=(-1, 24)))
    assert [image.shape for image in out['imgs']] == [(24, 32, 3)] * 2


def test_mmaction_sampling_works_with_our_decoder(tmp_path, make_video):
    path = make_video(tmp_path / 'clip.avi')
    out = run(dict(filename=str(path)), dict(type='VideoInit'),
              dict(type='mmaction.SampleFrames', clip_len=4, frame_interval=2, num_clips=2, test_mode=True),
              dict(type='VideoDecode'), dict(type='PackClip'))
    assert out['inputs'].shape == (2, 4, 32, 64, 3)
    assert out['data_samples'].frame_indices == [0, 2, 4, 6, 13, 15, 17, 19]


def test_packing_refuses_what_is_not_bytes():
    frames = [np.zeros((4, 4, 3), np.float32)] * 2
    with pytest.raises(TypeError, match='frames are float32, expected uint8.*take Normalize out'):
        PackClip()(dict(imgs=frames, clip_len=2, num_clips=1))


def test_packing_refuses_mixed_sizes_and_odd_counts():
    frames = [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)]
    with pytest.raises(ValueError, match='a.mp4 has frames of different sizes'):
        PackClip()(dict(imgs=frames, clip_len=2, num_clips=1, filename='a.mp4'))
    with pytest.raises(ValueError, match='3 frames are no multiple of the clip length 2'):
        PackClip()(dict(imgs=frames[:1] * 3, clip_len=2, num_clips=1))


def test_open_refuses_unknown_backends_and_missing_files(tmp_path):
    with pytest.raises(ValueError, match='opencv, decord, pyav'):
        VideoInit('ffmpeg')
    with pytest.raises(VideoReadError, match='no such file'):
        VideoInit()(dict(filename=str(tmp_path / 'none.mp4')))
