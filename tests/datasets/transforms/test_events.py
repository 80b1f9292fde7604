"""From an event file to the inputs of a model: what is read, what is counted, what is packed."""
import numpy as np
import pytest
import torch

from mmspike.datasets.events import (
    ArrayEvents,
    EventFileError,
    event_counts,
    make_events,
    polarity_channels,
    stacked_histogram,
    three_sigma_image,
    voxel_grid,
)
from mmspike.datasets.transforms import EventsToBins, EventsToFrames, LoadEvents, PackPose
from mmspike.registry import TRANSFORMS

HEIGHT, WIDTH = 8, 10


def recording(number=400, duration=100_000, seed=0):
    rng = np.random.default_rng(seed)
    return make_events(np.sort(rng.integers(0, duration, number)), rng.integers(0, WIDTH, number),
                       rng.integers(0, HEIGHT, number), rng.integers(0, 2, number))


EVENTS = recording()
times = EVENTS['t']


def sample(**changes):
    file = ArrayEvents('a.h5', EVENTS, HEIGHT, WIDTH)
    return dict(file='a.h5', event_file=file, start=40_000, stop=60_000, bin_us=5_000) | changes


@pytest.mark.parametrize('options, first', [
    (dict(), 40_000), (dict(duration=10_000), 30_000), (dict(duration=90_000), 0)])
def test_the_window_and_a_time_before_it_are_read(options, first):
    results = LoadEvents(**options)(sample())
    assert (results['events'] == EVENTS[(times >= first) & (times < 60_000)]).all()
    assert results['image_shape'] == (HEIGHT, WIDTH)


def test_the_longer_of_count_and_time_before_a_window_is_read():
    before = int((times < 40_000).sum())
    for options, count in ((dict(count=20), 20), (dict(count=20, duration=20_000), None), (dict(count=9999), before)):
        results = LoadEvents(**options)(sample())
        expected = before - int((times < 20_000).sum()) if count is None else count
        assert len(results['events']) == expected + int(((times >= 40_000) & (times < 60_000)).sum())


def test_the_last_event_of_a_recording_is_left_out_as_published():
    end = sample(start=80_000, stop=100_000)
    assert (LoadEvents(legacy=True)(end)['events'] == LoadEvents()(end)['events'][:-1]).all()
    assert len(LoadEvents(legacy=True)(sample())['events']) == len(LoadEvents()(sample())['events'])


def test_a_file_is_opened_where_the_dataset_has_not(tmp_path):
    np.save(tmp_path / 'a.npy', EVENTS)
    results = LoadEvents()(dict(file=str(tmp_path / 'a.npy'), start=40_000, stop=60_000))
    assert (results['events'] == EVENTS[(times >= 40_000) & (times < 60_000)]).all()


@pytest.mark.parametrize('kind, expected', [
    ('counts', lambda events: event_counts(events, 4, HEIGHT, WIDTH, 40_000, 60_000)),
    ('histogram', lambda events: stacked_histogram(events, 4, HEIGHT, WIDTH)),
    ('voxels', lambda events: voxel_grid(events, 4, HEIGHT, WIDTH, normalize=True))])
def test_bins_are_made_of_the_window_alone(kind, expected):
    results = EventsToBins(kind)(LoadEvents(count=100)(sample()))
    np.testing.assert_array_equal(results['bins'], expected(EVENTS[(times >= 40_000) & (times < 60_000)]))


def test_frames_look_back_from_each_moment():
    results = LoadEvents(count=50, duration=20_000)(sample())
    counted = EventsToFrames(count=50, bins=3, at=('start', 'stop'))(dict(results))['frames']
    assert counted.shape == (2, 6, HEIGHT, WIDTH)
    for frame, moment in zip(counted, (40_000, 60_000), strict=True):
        last = EVENTS[times < moment][-50:]
        np.testing.assert_array_equal(frame, polarity_channels(stacked_histogram(last, 3, HEIGHT, WIDTH)))
        assert frame.sum() == 50
    timed = EVENTS[(times >= 20_000) & (times < 40_000)]
    for legacy, expected in ((False, event_counts(timed, 3, HEIGHT, WIDTH, 20_000, 40_000)),
                             (True, stacked_histogram(timed, 3, HEIGHT, WIDTH))):
        frames = EventsToFrames(duration=20_000, bins=3, legacy=legacy)(dict(results))['frames']
        np.testing.assert_array_equal(frames, polarity_channels(expected)[None])
    image = EventsToFrames(count=50, kind='image')(dict(results))['frames']
    np.testing.assert_array_equal(image[0, 0], three_sigma_image(EVENTS[times < 40_000][-50:], HEIGHT, WIDTH))
    every = EventsToFrames(count=50, at=('bins',))(dict(results))['frames']
    ends = EventsToFrames(count=50, at=('stop',))(dict(results))['frames']
    assert every.shape == (4, 20, HEIGHT, WIDTH) and (every[-1] == ends[0]).all()


def test_nothing_before_a_window_is_an_empty_frame():
    results = LoadEvents(count=50)(sample(start=0, stop=20_000))
    for options in (dict(count=50), dict(duration=100), dict(count=50, kind='image')):
        assert not EventsToFrames(**options)(dict(results))['frames'].any()


def test_pack_keeps_counts_as_bytes_and_names_what_is_known():
    keypoints = np.random.default_rng(0).random((4, 13, 2)) * 8
    facts = dict(sequence='S1_session1_mov1', camera=3, projection=np.eye(3, 4), keypoints=keypoints,
                 keypoints_visible=np.ones((4, 13), bool), keypoints_3d=np.full((4, 13, 3), np.nan))
    results = EventsToFrames(count=50)(EventsToBins()(LoadEvents(count=50)(sample(**facts))))
    packed = PackPose()(results)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in packed['inputs'].items()} == dict(
        bins=(torch.uint8, (4, 2, HEIGHT, WIDTH)), frames=(torch.uint8, (1, 20, HEIGHT, WIDTH)))
    assert (packed['inputs']['bins'].numpy() == results['bins']).all()
    poses = packed['data_samples']
    assert poses.gt_keypoints.dtype == torch.float32 and poses.gt_visible.dtype == torch.bool
    np.testing.assert_allclose(poses.gt_keypoints, keypoints, rtol=1e-6)
    assert (poses.start_us, poses.bin_us, poses.image_shape, poses.camera) == (40_000, 5_000, (HEIGHT, WIDTH), 3)
    assert poses.gt_keypoints_3d.isnan().all() and poses.projection.shape == (3, 4)


def test_pack_keeps_what_bytes_cannot_hold():
    for values in (np.array([0.5]), np.array([-1.]), np.array([256.])):
        bins = np.broadcast_to(values, (1, 2, 3, 3)).astype(np.float32)
        assert PackPose()(dict(bins=bins))['inputs']['bins'].dtype == torch.float32
    with pytest.raises(ValueError, match='neither bins nor frames; put EventsToBins or EventsToFrames before it'):
        PackPose()(dict())


def test_wrong_settings_and_wrong_events_are_named():
    with pytest.raises(ValueError, match="kind is 'count', expected one of counts, histogram, voxels"):
        EventsToBins(kind='count')
    with pytest.raises(ValueError, match='count=None and duration=None, expected one of both'):
        EventsToFrames()
    with pytest.raises(ValueError, match='count=0 and duration=None, expected one of both, positive'):
        EventsToFrames(count=0)
    with pytest.raises(ValueError, match="kind='bins' and at=.'end',., expected kind 'bins' or 'image', and at of"):
        EventsToFrames(count=5, at=('end',))
    with pytest.raises(ValueError, match='the window from 40000 us to 60000 us is no whole number of bins of 6000 us'):
        EventsToBins()(LoadEvents()(sample(bin_us=6000)))
    small = ArrayEvents('a.h5', EVENTS, HEIGHT, WIDTH - 1)
    for make in (EventsToBins(), EventsToFrames(count=50)):
        with pytest.raises(EventFileError, match=r'a\.h5: .*: event \d+ lies at column 9'):
            make(LoadEvents(count=50)(sample(event_file=small)))


@pytest.mark.parametrize('config', [
    dict(type='LoadEvents', count=7), dict(type='EventsToBins', kind='voxels'), dict(type='EventsToFrames', count=7),
    dict(type='PackPose'), dict(type='CropEvents', size=(4, 4), jitter=2), dict(type='FlipEvents', prob=0.2),
    dict(type='FlipPolarity', prob=0.2), dict(type='DropEvents', share=(0, 1)), dict(type='AddNoiseEvents', rate=3)])
def test_a_transform_says_how_it_is_set(config):
    shown = repr(TRANSFORMS.build(config))
    assert shown.startswith(f'{config["type"]}(') and all(str(value) in shown for value in config.values())
