"""Representations against the published numbers, and against plain loops on any events."""
import numpy as np
import pytest
import torch
from golden_cases import differences, load_case
from hypothesis import given, settings
from hypothesis import strategies as st

from mmspike.datasets.events import (
    EVENT,
    event_counts,
    make_events,
    polarity_channels,
    stacked_histogram,
    three_sigma_image,
    time_surface,
    voxel_grid,
)
from mmspike.datasets.events.filters import hot_pixels, supported

HEIGHT, WIDTH = 4, 5
RIGHT = dict(bins=2, height=HEIGHT, width=WIDTH)


@st.composite
def streams(draw, max_size=40, latest=60):
    """Events in order of time, often several at once."""
    size = draw(st.integers(0, max_size))
    column = [draw(st.lists(st.integers(0, high), min_size=size, max_size=size))
              for high in (latest, WIDTH - 1, HEIGHT - 1, 1)]
    return make_events(np.sort(np.array(column[0], np.int64)), *(np.array(values, int) for values in column[1:]))


def test_published_histogram_and_voxels(golden):
    case, _ = load_case(golden / 'cases/hybrid_events.pt')
    off = []
    for name, stream in case['inputs'].items():
        events = make_events(*(stream[column].numpy() for column in 'txyp'))
        shape = dict(bins=stream['bins'], height=stream['height'], width=stream['width'])
        got = dict(stacked=stacked_histogram(events, **shape))
        if 'voxel' in case['outputs'][name]:
            got |= dict(voxel=voxel_grid(events, **shape), voxel_norm=voxel_grid(events, **shape, normalize=True))
        off += differences(case, {key: torch.from_numpy(value) for key, value in got.items()}, case['outputs'][name])
    assert off == [] and len(case['inputs']) == 5


@settings(deadline=None, max_examples=60)
@given(events=streams(), bins=st.integers(1, 7), start=st.integers(-5, 40), length=st.integers(1, 70))
def test_counts_are_those_of_a_loop(events, bins, start, length):
    expected = np.zeros((bins, 2, HEIGHT, WIDTH), np.float32)
    for t, x, y, p in events.tolist():
        if start <= t < start + length:
            expected[(t - start) * bins // length, p, y, x] += 1
    got = event_counts(events, bins, HEIGHT, WIDTH, start, start + length)
    assert got.dtype == np.float32 and (got == expected).all()


@settings(deadline=None, max_examples=60)
@given(events=streams(), bins=st.integers(1, 7))
def test_the_histogram_is_that_of_a_loop(events, bins):
    expected = np.zeros((bins, 2, HEIGHT, WIDTH), np.float32)
    for t, x, y, p in events.tolist():
        first, last = int(events['t'][0]), int(events['t'][-1])
        expected[min((t - first) * bins // (last - first), bins - 1) if last > first else 0, p, y, x] += 1
    got = stacked_histogram(events, bins, HEIGHT, WIDTH)
    assert (got == expected).all() and got.sum() == len(events)


@settings(deadline=None, max_examples=60)
@given(events=streams(), bins=st.integers(1, 7))
def test_voxels_share_each_event_between_two_bins(events, bins):
    expected = np.zeros((bins, 1, HEIGHT, WIDTH))
    for t, x, y, p in events.tolist():
        first, last = int(events['t'][0]), int(events['t'][-1])
        place = (bins - 1) * (t - first) / (last - first) if last > first else 0
        for k in range(bins):
            expected[k, 0, y, x] += max(0, 1 - abs(place - k)) * (1 if p else -1)
    got = voxel_grid(events, bins, HEIGHT, WIDTH)
    np.testing.assert_allclose(got, expected, atol=1e-5)
    values = voxel_grid(events, bins, HEIGHT, WIDTH, normalize=True)
    filled = np.abs(got) > 1e-6
    if filled.sum() > 1 and got[filled].std() > 1e-3:
        assert values[filled].mean() == pytest.approx(0, abs=1e-3)
        assert values[filled].std(ddof=1) == pytest.approx(1, abs=1e-2)


@settings(deadline=None, max_examples=60)
@given(events=streams(), at=st.integers(0, 60))
def test_the_time_surface_knows_the_last_event_of_each_pixel(events, at):
    expected = np.zeros((2, HEIGHT, WIDTH))
    for t, x, y, p in events.tolist():
        if t <= at:
            expected[p, y, x] = np.exp((t - at) / 20)
    np.testing.assert_allclose(time_surface(events, HEIGHT, WIDTH, tau=20, at=at), expected, atol=1e-6)
    if len(events):
        assert time_surface(events, HEIGHT, WIDTH, tau=20).max() == 1


def test_channels_are_all_bins_of_one_polarity_and_then_of_the_other():
    stack = np.arange(3 * 2 * 2 * 2).reshape(3, 2, 2, 2)
    channels = polarity_channels(stack)
    assert channels.shape == (6, 2, 2)
    assert all((channels[p * 3 + k] == stack[k, p]).all() for p in (0, 1) for k in range(3))


def test_grey_values_reach_white_at_three_deviations():
    place = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 40])
    events = make_events(np.arange(55), place % WIDTH, place // WIDTH, np.arange(55) % 2)
    counts = np.array([1, 2, 3, 4, 5, 40])
    expected = np.minimum(np.floor(counts / (3 * counts.std()) * 255), 255)
    image = three_sigma_image(events, HEIGHT, WIDTH)
    assert image.dtype == np.uint8 and (image.ravel()[:6] == expected).all() and not image.ravel()[6:].any()
    assert set(three_sigma_image(events[[0, 1]], HEIGHT, WIDTH).ravel()) == {0, 255}  # one count: no deviation
    assert not three_sigma_image(events[:0], HEIGHT, WIDTH).any()


@pytest.mark.parametrize('call', [
    lambda events: event_counts(events, **RIGHT, start=0, stop=10), lambda events: stacked_histogram(events, **RIGHT),
    lambda events: voxel_grid(events, **RIGHT), lambda events: time_surface(events, HEIGHT, WIDTH, 5),
    lambda events: three_sigma_image(events, HEIGHT, WIDTH), lambda events: supported(events, HEIGHT, WIDTH, 5)])
def test_no_events_are_no_error_and_wrong_events_are_named(call):
    assert not call(np.empty(0, EVENT)).any()
    with pytest.raises(ValueError, match=r'event 1 lies at column 5, row 2 \(and 0 more\), outside of 5 columns and 4 '
                       'rows; leave them out'):
        call(make_events([1, 2, 3], [0, 5, 1], [1, 2, 3], [0, 0, 0]))
    with pytest.raises(ValueError, match='time goes back at event 2, from 2 us to 1 us; .* sort them: '
                       r"events\[np.argsort\(events\['t'\], kind='stable'\)\]"):
        call(make_events([1, 2, 1], [0, 1, 1], [1, 2, 3], [0, 0, 0]))


def test_impossible_arguments_are_named():
    none = np.empty(0, EVENT)
    with pytest.raises(ValueError, match='event_counts: the window from 5 us to 5 us has no length'):
        event_counts(none, **RIGHT, start=5, stop=5)
    with pytest.raises(ValueError, match='stacked_histogram: 0 bins, expected at least 1'):
        stacked_histogram(none, 0, 4, 4)
    with pytest.raises(ValueError, match='time_surface: tau is 0 us, expected a positive time'):
        time_surface(none, 4, 4, 0)


@settings(deadline=None, max_examples=150)
@given(events=streams(max_size=80), window=st.integers(0, 30), own=st.booleans(), late=st.sampled_from([0, 1000]))
def test_the_background_filter_is_that_of_a_loop(events, window, own, late):
    events['t'] += late
    last, expected = np.zeros((HEIGHT, WIDTH), int), []
    for t, x, y, _ in events.tolist():
        expected.append(t - last[y, x] <= window)
        if 0 < x < WIDTH - 1 and 0 < y < HEIGHT - 1:
            own_time = last[y, x]
            last[y - 1:y + 2, x - 1:x + 2] = t
            last[y, x] = t if own else own_time
    assert supported(events, HEIGHT, WIDTH, window, own).tolist() == expected


def test_hot_pixels_are_those_with_as_many_events_as_the_limit():
    events = make_events(range(9), [0, 1, 1, 1, 2, 2, 2, 2, 4], [0, 1, 1, 1, 2, 2, 2, 2, 3], [0] * 9)
    assert hot_pixels(events, HEIGHT, WIDTH, 3).tolist() == [False] + [True] * 7 + [False]
