"""Streaming gives what the test pipeline gives window by window, in bounded memory, whatever the portions."""
import gc
import tracemalloc

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmspike.apis import EventPoseStreamer, score_below
from mmspike.datasets.events import EVENT, ArrayEvents, EventFileError, make_events
from mmspike.datasets.synthetic_poses import make_sequence
from mmspike.registry import TRANSFORMS

SECONDS, SIZE, BIN, LOOK = 2, 64, 10_000, 100_000
NARROW = {'cnn-snn': {'model.cnn.base_channels': 2, 'model.network.base_channels': 2},
          'cnn-rnn': {'model.cnn.base_channels': 2, 'model.network.base_channels': 2},
          'snn': {'model.backbone.base_channels': 2}, 'cnn': {'model.backbone.base_channels': 2}}
DATA = dict(cnn='synthetic_pose_frames', snn='synthetic_pose_bins')


def config(root, name, **options):
    data = DATA.get(name, 'synthetic_pose')
    cfg = Config.fromfile(root / f'configs/_base_/datasets/{data}.py')
    cfg.merge_from_dict(Config.fromfile(root / f'configs/_base_/models/hybrid_pose_{name}.py')._cfg_dict.to_dict())
    cfg.merge_from_dict(dict(default_scope='mmspike', **NARROW[name]) | options)
    return cfg


def streamer(root, name, options=None, **settings):
    torch.manual_seed(0)
    stream = EventPoseStreamer(config(root, name, **(options or {})), None, (SIZE, SIZE), **settings)
    for module in stream.model.modules():
        if type(module).__name__ == 'StepBatchNorm2d':  # so that neurons fire
            torch.nn.init.uniform_(module.weight, 1, 3)
            torch.nn.init.normal_(module.bias, 0.5)
    for module in (getattr(stream.model, 'cnn', None), getattr(stream.model, 'backbone', None)):
        if hasattr(module, 'head'):  # so that maps differ from zero
            module.head.weight.data.mul_(2500)
    return stream


@pytest.fixture(scope='module')
def events():
    columns = make_sequence(2, SECONDS, (3,), SIZE)[1][3]
    t, x, y, p = (columns[name] for name in 'txyp')
    return make_events(t, x, y, p)


def portions(events, draw, mean=700):
    cuts = np.sort(draw.integers(0, len(events), len(events) // mean))
    return np.split(events, cuts)


def offline(stream, events, windows):
    """Poses of windows through the whole test pipeline, and their ends."""
    with DefaultScope.overwrite_default_scope('mmspike'):
        pipeline = [TRANSFORMS.build(step) for step in stream.model.cfg.test_dataloader.dataset.pipeline]
    file, poses = ArrayEvents('memory', events, SIZE, SIZE), {}
    for start in windows:
        sample = dict(event_file=file, start=start, stop=start + LOOK, bin_us=BIN)
        for step in pipeline:
            sample = step(sample)
        batch = dict(inputs={name: [y] for name, y in sample['inputs'].items()}, data_samples=[sample['data_samples']])
        with torch.no_grad():
            predicted = stream.model.test_step(batch)[0]
        for i, pose in enumerate(zip(predicted.pred_keypoints, predicted.pred_scores, strict=True), 1):
            poses[start + i * BIN] = pose
    return poses


@pytest.mark.parametrize('name', ['cnn-snn', 'cnn-rnn', 'snn'])
def test_streaming_is_the_pipeline_window_by_window(root, events, name):
    """In portions of any size. (Ten seconds were compared once; these are two.)"""
    stream = streamer(root, name)
    poses = [pose for part in portions(events, np.random.default_rng(0)) for pose in stream.feed(part)]
    times = [pose.time_us for pose in poses]
    assert times == list(range(times[0], times[0] + len(times) * BIN, BIN)) and times[-1] >= 1_900_000
    assert [pose.looked for pose in poses] == [i % 10 == 0 for i in range(len(poses))]
    first = times[0] - BIN
    expected = offline(stream, events, range(first, 1_900_000 - LOOK, LOOK))
    assert len(expected) > 150 and len({tuple(pose.keypoints.flatten()) for pose in poses}) > 50
    for pose in poses:
        if pose.time_us in expected:
            keypoints, scores = expected[pose.time_us]
            assert np.allclose(pose.keypoints, keypoints, atol=1e-3), pose.time_us
            assert np.allclose(pose.scores, scores, rtol=1e-4, atol=1e-6)


def test_a_cnn_alone_gives_a_pose_at_its_looks(root, events):
    stream = streamer(root, 'cnn', look_us=BIN)
    poses = stream.feed(events[events['t'] < 1_000_000])
    expected = offline(stream, events, range(poses[0].time_us - BIN, 800_000, LOOK))
    same = [pose for pose in poses if pose.time_us in expected]
    assert len(same) > 50 and all(pose.looked for pose in poses)
    for pose in same:
        assert np.allclose(pose.keypoints, expected[pose.time_us][0], atol=1e-3)


def test_portions_make_no_difference_and_the_end_can_be_told(root, events):
    part = events[events['t'] < 600_000]
    one, many = streamer(root, 'cnn-snn'), streamer(root, 'cnn-snn')
    whole = one.feed(part, until=640_000)
    small = [pose for piece in portions(part, np.random.default_rng(1), mean=20) for pose in many.feed(piece)]
    small += many.feed(part[:0], until=640_000)
    assert whole[-1].time_us == 640_000 and len(whole) == len(small)
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(whole, small, strict=True))
    one.reset()
    again = [pose.time_us for pose in one.feed(part)]  # without the last bin, which may go on
    assert again == [pose.time_us for pose in whole[:-5]]


def test_the_cnn_looks_again_when_the_trigger_says_so(root, events):
    part = events[events['t'] < 1_000_000]
    never = streamer(root, 'cnn-snn', look_us=None).feed(part)
    assert [pose.looked for pose in never] == [True] + [False] * (len(never) - 1)
    asked = streamer(root, 'cnn-snn', look_us=None, trigger=lambda pose: pose.time_us % 70_000 == 0).feed(part)
    looks = [pose.time_us for pose in asked[1:] if pose.looked]
    assert looks and all(moment % 70_000 == BIN for moment in looks)
    threshold = float(np.median([pose.scores.mean() for pose in never]))
    often = streamer(root, 'cnn-snn', look_us=None, trigger=score_below(threshold)).feed(part)
    assert 1 < sum(pose.looked for pose in often) < len(often)


def test_memory_stays_that_of_the_history(root, events):
    """The recording, over and over: what is kept, in events and in bytes, does not grow."""
    stream, kept = streamer(root, 'snn', look_us=None), []
    part = events.copy()
    shift = int(part['t'][-1]) + 1
    for turn in range(6):
        for piece in portions(part, np.random.default_rng(turn)):
            stream.feed(piece)
        part['t'] += shift
        gc.collect()
        if turn == 1:
            tracemalloc.start()
        if turn > 0:
            kept.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert kept[-1] - kept[1] < 200_000, kept
    assert stream._events.base is None and len(stream._events) < 2000


def test_latencies_are_measured(root, events):
    stream = streamer(root, 'cnn-snn')
    poses = stream.feed(events[events['t'] < 500_000])
    figures = stream.latency()
    assert set(figures) == {'look_median_ms', 'look_max_ms', 'step_median_ms', 'step_max_ms'}
    assert 0 < figures['step_median_ms'] <= figures['step_max_ms'] == 1000 * max(
        pose.latency for pose in poses if not pose.looked)


def test_what_cannot_be_streamed_is_named(root, events):
    with pytest.raises(ValueError, match='a whole number of bins from look to look'):
        streamer(root, 'cnn-snn', look_us=105_000)
    with pytest.raises(ValueError, match='a CNN alone gives poses at its looks only'):
        streamer(root, 'cnn', look_us=None)
    pipeline = [dict(type='LoadEvents'), dict(type='EventsToBins', kind='histogram'), dict(type='PackPose')]
    with pytest.raises(ValueError, match="kind='histogram'.* divides a window by its last event"):
        streamer(root, 'snn', {'test_dataloader.dataset.pipeline': pipeline})
    with pytest.raises(ValueError, match='no LoadEvents in test_dataloader'):
        streamer(root, 'snn', {'test_dataloader.dataset.pipeline': pipeline[1:]})
    stream = streamer(root, 'snn')
    stream.feed(events[1000:2000])
    with pytest.raises(ValueError, match=r'the events go back in time, from \d+ us to \d+ us.*call reset'):
        stream.feed(events[:10])
    stream.feed(events[:0], until=int(events['t'][-1]) + 3 * BIN)  # nothing before it may follow, as was said
    with pytest.raises(ValueError, match=rf'from {int(events["t"][-1]) + 3 * BIN} us to {events["t"][-1]} us'):
        stream.feed(events[-1:])
    images = [dict(type='LoadEvents'), dict(type='EventsToBins'), dict(type='LoadFrameImages'), dict(type='PackPose')]
    with pytest.raises(ValueError, match='its CNN looks at images .* a model whose frames are made by EventsToFrames'):
        streamer(root, 'cnn-snn', {'test_dataloader.dataset.pipeline': images})
    outside = np.zeros(2, EVENT)
    outside['t'], outside['x'] = (0, 50_000), 200
    with pytest.raises(EventFileError, match='the stream: .*lies at column 200'):
        streamer(root, 'snn').feed(outside)
