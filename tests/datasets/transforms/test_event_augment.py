"""Augmentation of events: pixels, keypoints and projection stay one picture, before and after binning."""
import numpy as np
import pytest

from mmspike.datasets.events import event_counts, make_events
from mmspike.datasets.transforms import (
    AddNoiseEvents,
    CropEvents,
    DropEvents,
    EventsToBins,
    EventsToFrames,
    FlipEvents,
    FlipPolarity,
)
from mmspike.structures import load_skeleton, project

HEIGHT, WIDTH, BINS = 12, 16, 3
PARTNERS = list(load_skeleton('dhp19').flip)


def make_sample(seed=0, number=300):
    """Keypoints are the projections of the points in space."""
    rng = np.random.default_rng(seed)
    events = make_events(np.sort(rng.integers(0, 30_000, number)), rng.integers(0, WIDTH, number),
                         rng.integers(0, HEIGHT, number), rng.integers(0, 2, number))
    points = rng.uniform(-1, 1, (BINS, 13, 3)) + (0, 0, 5)
    projection = np.array([[20, 0, WIDTH / 2, 0], [0, 20, HEIGHT / 2, 0], [0, 0, 1, 0]], float)
    keypoints = project(points, projection)
    visible = ((keypoints.round() >= 0) & (keypoints.round() < (WIDTH, HEIGHT))).all(-1)
    return dict(file='a.h5', events=events, image_shape=(HEIGHT, WIDTH), start=0, stop=30_000, bin_us=10_000,
                keypoints=keypoints, keypoints_visible=visible, keypoints_3d=points, projection=projection)


def dense(results):
    return EventsToFrames(count=100, bins=2, at=('stop',))(EventsToBins()(results))


def seeded(transform, results, seed):
    np.random.seed(seed)
    return transform(results)


def assert_consistent(results):
    np.testing.assert_allclose(project(results['keypoints_3d'], results['projection']), results['keypoints'])


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('options', [
    dict(size=(8, 9), origin=(3, 2)), dict(jitter=4), dict(size=(20, 20), origin=(-2, -3)),
    dict(size=(6, 6), origin=(5, 4), jitter=6), dict(size=(5, 5), origin=(40, 1))])
def test_a_crop_is_the_same_before_and_after_binning(options, seed):
    before = seeded(CropEvents(**options), make_sample(), seed)
    after = seeded(CropEvents(**options), EventsToBins()(make_sample()), seed)
    height, width = options.get('size', (HEIGHT, WIDTH))
    np.testing.assert_array_equal(EventsToBins()(dict(before))['bins'], after['bins'])
    assert after['bins'].shape == (3, 2, height, width) and after['image_shape'] == (height, width)
    np.testing.assert_array_equal(before['events'], after['events'])
    for results in (before, after):
        assert_consistent(results)
        inside = ((results['keypoints'].round() >= 0) & (results['keypoints'].round() < (width, height))).all(-1)
        assert (results['keypoints_visible'] == inside & make_sample()['keypoints_visible']).all()


def test_a_crop_takes_the_pixels_at_its_origin():
    full = dense(make_sample())
    cut = CropEvents(size=(4, 5), origin=(6, 2))(dense(make_sample()))
    np.testing.assert_array_equal(cut['bins'], full['bins'][..., 2:6, 6:11])
    np.testing.assert_array_equal(cut['frames'], full['frames'][..., 2:6, 6:11])
    np.testing.assert_allclose(cut['keypoints'], full['keypoints'] - (6, 2))


def test_jitter_reaches_every_shift():
    reached = set()
    for seed in range(200):
        results = seeded(CropEvents(jitter=1), make_sample(), seed)
        reached.add(tuple((make_sample()['keypoints'] - results['keypoints'])[0, 0].round().astype(int).tolist()))
    assert reached == {(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)}


def test_a_flip_mirrors_pixels_and_changes_sides():
    before = make_sample()
    flipped = FlipEvents(prob=1)(dense(make_sample()))
    np.testing.assert_array_equal(flipped['events']['x'], WIDTH - 1 - before['events']['x'])
    np.testing.assert_array_equal(flipped['bins'], dense(make_sample())['bins'][..., ::-1])
    np.testing.assert_array_equal(flipped['bins'], event_counts(flipped['events'], 3, HEIGHT, WIDTH, 0, 30_000))
    np.testing.assert_array_equal(flipped['frames'], dense(make_sample())['frames'][..., ::-1])
    np.testing.assert_allclose(flipped['keypoints'], (before['keypoints'] * (-1, 1) + (WIDTH - 1, 0))[:, PARTNERS])
    np.testing.assert_array_equal(flipped['keypoints_visible'], before['keypoints_visible'][:, PARTNERS])
    assert_consistent(flipped)
    twice = FlipEvents(prob=1)(flipped)
    for name in ('events', 'bins', 'keypoints_3d', 'keypoints_visible'):
        np.testing.assert_array_equal(twice[name], dense(make_sample())[name])
    np.testing.assert_allclose(twice['keypoints'], before['keypoints'])


def test_nothing_of_the_sample_is_changed_in_place():
    for transform in (FlipEvents(prob=1), FlipPolarity(prob=1), CropEvents(size=(4, 4)), DropEvents((.5, .5)),
                      AddNoiseEvents(50)):
        given = make_sample()
        kept = {name: given[name].copy() for name in ('events', 'keypoints', 'keypoints_visible', 'projection')}
        arrays = {name: given[name] for name in kept}
        transform(given)
        for name, value in kept.items():
            np.testing.assert_array_equal(arrays[name], value, err_msg=type(transform).__name__)


@pytest.mark.parametrize('transform', [FlipEvents(prob=0.5), FlipPolarity(prob=0.5)])
def test_now_and_then_is_half_of_the_time_and_never_at_zero(transform):
    given = make_sample()
    changed = sum((seeded(transform, make_sample(), seed)['events'] != given['events']).any() for seed in range(200))
    assert 70 < changed < 130
    never = type(transform)(prob=0)
    assert all((seeded(never, make_sample(), seed)['events'] == given['events']).all() for seed in range(20))


def test_a_flip_without_poses_or_projection_is_possible():
    given = {name: value for name, value in make_sample().items() if name in ('events', 'image_shape')}
    assert set(FlipEvents(prob=1)(CropEvents(size=(8, 8))(given))) == {'events', 'image_shape'}


def test_polarities_are_swapped():
    flipped = FlipPolarity(prob=1)(make_sample())
    np.testing.assert_array_equal(EventsToBins()(flipped)['bins'], dense(make_sample())['bins'][:, ::-1])


def test_the_share_of_dropped_events_is_drawn():
    kept = [len(seeded(DropEvents((0.2, 0.6)), make_sample(), seed)['events']) / 300 for seed in range(100)]
    assert 0.3 < min(kept) < 0.5 and 0.7 < max(kept) < 0.9
    left = seeded(DropEvents((0.5, 0.5)), make_sample(), 0)['events']
    assert np.isin(left, make_sample()['events']).all() and (np.diff(left['t']) >= 0).all()
    assert len(DropEvents((0, 0))(make_sample())['events']) == 300
    assert len(DropEvents((1, 1))(make_sample())['events']) == 0
    with pytest.raises(ValueError, match=r'share is \[0.5, 0.2\], expected least and greatest between 0 and 1'):
        DropEvents([0.5, 0.2])


def test_noise_is_added_at_its_rate_over_the_sensor_and_the_time():
    given = make_sample()['events']
    noisy = seeded(AddNoiseEvents(rate=200), make_sample(), 0)['events']
    seconds = (given['t'][-1] - given['t'][0]) * 1e-6
    assert len(noisy) - 300 == pytest.approx(200 * HEIGHT * WIDTH * seconds, rel=0.15)
    assert (np.diff(noisy['t']) >= 0).all() and noisy['t'][[0, -1]].tolist() == given['t'][[0, -1]].tolist()
    assert noisy['x'].max() == WIDTH - 1 and noisy['y'].max() == HEIGHT - 1
    assert 0.4 < noisy['p'].mean() < 0.6
    assert len(AddNoiseEvents(rate=200)(make_sample(number=0))['events']) == 0


@pytest.mark.parametrize('transform', [FlipPolarity(), DropEvents(), AddNoiseEvents()])
def test_what_would_come_too_late_says_so(transform):
    with pytest.raises(ValueError, match='bins and frames are made already, and would not change; put it before'):
        transform(dense(make_sample()))


@pytest.mark.parametrize('transform', [FlipEvents(), FlipPolarity(), DropEvents(), AddNoiseEvents(9),
                                       CropEvents(jitter=3)])
def test_the_same_seed_gives_the_same_sample(transform):
    one, other = (seeded(transform, make_sample(), 5) for _ in range(2))
    assert (one['events'] == other['events']).all() and (one['keypoints'] == other['keypoints']).all()
