"""Which frames make a clip: equal to the published sampler on request, right by default."""
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmspike.datasets.transforms import SampleSegments, SampleWindows

COLUMNS = dict(train_seed0=dict(seed=0), train_seed1=dict(seed=1), val=dict(test_mode=True),
               test_nonkinetics=dict(test_mode=True), dense_seed0=dict(dense=True, seed=0))


def sample(transform, num_frames, **results):
    return transform(dict(total_frames=num_frames, **results))


@pytest.mark.parametrize('column', COLUMNS)
def test_legacy_equals_the_published_sampler(golden, column):
    rows = json.loads((golden / 'units/respike_sampler.json').read_text())['rows']
    assert len(rows) == 138
    options = dict(COLUMNS[column])
    seed = options.pop('seed', 0)
    for row in rows:
        transform = SampleSegments(row['num_segments'], row['new_length'], legacy=True, **options)
        np.random.seed(seed)
        assert (transform.starts(row['num_frames'])[0] + 1).tolist() == row[column], row


def test_default_equals_the_published_centre_where_that_is_right(golden):
    for row in json.loads((golden / 'units/respike_sampler.json').read_text())['rows']:
        if row['num_frames'] > row['num_segments'] + row['new_length'] - 1:
            ours = SampleSegments(row['num_segments'], row['new_length'], test_mode=True).starts(row['num_frames'])
            assert (ours[0] + 1).tolist() == row['val'], row


@given(num_frames=st.integers(1, 400), segments=st.integers(1, 20), new_length=st.integers(1, 5),
       clips=st.integers(1, 4), dense=st.booleans(), test_mode=st.booleans())
def test_frames_exist_and_clips_have_their_length(num_frames, segments, new_length, clips, dense, test_mode):
    out = sample(SampleSegments(segments, new_length, clips, dense, test_mode), num_frames)
    assert out['clip_len'] == segments * new_length and out['num_clips'] == clips
    assert len(out['frame_inds']) == clips * segments * new_length
    assert out['frame_inds'].min() >= 0 and out['frame_inds'].max() < num_frames
    if not dense:
        rows = out['frame_inds'].reshape(clips, segments, new_length)
        assert (np.diff(rows[..., 0], axis=1) >= 0).all()


@pytest.mark.parametrize('num_frames, expected', [
    (8, [0, 1, 2, 3, 4, 5, 6, 7]), (4, [0, 0, 1, 1, 2, 2, 3, 3]), (1, [0] * 8), (80, [5, 15, 25, 35, 45, 55, 65, 75])])
def test_short_videos_are_spread_evenly(num_frames, expected):
    assert sample(SampleSegments(8, test_mode=True), num_frames)['frame_inds'].tolist() == expected


def test_training_draws_every_frame():
    np.random.seed(0)
    seen = {int(i) for _ in range(300) for i in sample(SampleSegments(4), 19)['frame_inds']}
    assert seen == set(range(19))  # the published sampler never gives the last 19 % 4 frames


def test_clips_differ_in_phase_and_keep_the_spacing():
    rows = sample(SampleSegments(4, num_clips=10, test_mode=True), 80)['frame_inds'].reshape(10, 4)
    assert (np.diff(rows, axis=1) == 20).all()
    assert rows[:, 0].tolist() == list(range(1, 20, 2))


def test_dense_clips_span_the_video():
    rows = sample(SampleSegments(16, num_clips=3, dense=True, test_mode=True), 100)['frame_inds'].reshape(3, 16)
    assert rows[:, 0].tolist() == [0, 18, 36]
    assert (np.diff(rows, axis=1) == 4).all()
    np.random.seed(0)
    starts = {int(sample(SampleSegments(16, dense=True), 66)['frame_inds'][0]) for _ in range(60)}
    assert starts == {0, 1, 2}


def test_frames_after_the_index_stay_in_the_video():
    out = sample(SampleSegments(4, new_length=5, test_mode=True), 20)['frame_inds'].reshape(4, 5)
    assert out.tolist() == [[start + k for k in range(5)] for start in (2, 6, 10, 14)]
    assert sample(SampleSegments(2, new_length=3, test_mode=True), 2)['frame_inds'].tolist() == [0, 1, 1] * 2


@pytest.mark.parametrize('options, message', [
    (dict(num_segments=0), 'num_segments must be at least 1, got 0'),
    (dict(num_segments=8, num_clips=10, legacy=True), 'one clip, got num_clips=10; leave legacy=False')])
def test_illegal_settings(options, message):
    with pytest.raises(ValueError, match=message):
        SampleSegments(**options)


@pytest.mark.parametrize('num_frames, starts', [(16, [0]), (31, [0]), (32, [0, 16]), (50, [0, 16, 32])])
def test_all_windows_in_testing(num_frames, starts):
    out = sample(SampleWindows(16, test_mode=True), num_frames)
    assert out['num_clips'] == len(starts)
    assert out['frame_inds'].tolist() == [start + k for start in starts for k in range(16)]


def test_at_most_max_clips_windows():
    out = sample(SampleWindows(4, test_mode=True, max_clips=3), 48)
    assert out['frame_inds'].reshape(-1, 4)[:, 0].tolist() == [8, 24, 40]


def test_training_windows():
    assert sample(SampleWindows(4), 20, window_start=8)['frame_inds'].tolist() == [8, 9, 10, 11]
    assert sample(SampleWindows(4), 10, window_start=8)['frame_inds'].tolist() == [6, 7, 8, 9]  # list out of date
    np.random.seed(0)
    assert {int(sample(SampleWindows(4), 7)['frame_inds'][0]) for _ in range(60)} == {0, 1, 2, 3}


def test_window_of_a_short_video_is_spread():
    assert sample(SampleWindows(6), 3)['frame_inds'].tolist() == [0, 0, 1, 1, 2, 2]
    assert sample(SampleWindows(6, test_mode=True), 3)['num_clips'] == 1
