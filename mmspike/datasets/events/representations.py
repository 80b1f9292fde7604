"""Events as dense arrays: counts by window, the published histogram, voxels, time surfaces.

Every function takes ``EVENT`` arrays in order of time, empty ones too, and refuses events outside of the sensor.
Counting is a ``np.bincount`` over pixels for each bin, whose events are a run of the array: no bin number per event,
and neither the accumulator nor what is computed per event leaves the cache.
"""
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from .event_array import require_inside, require_order

ROUNDING = 1e-9
PIECE = 2 ** 17  # events


def event_counts(events: np.ndarray, bins: int, height: int, width: int, start: int, stop: int) -> np.ndarray:
    """Events per bin, polarity and pixel, in equal parts of a window of time.

    Bin k takes ``start + k / bins * (stop - start) <= t < start + (k + 1) / bins * (stop - start)``, in exact
    arithmetic; events outside of the window are not counted.

    Args:
        events: ``EVENT`` in order of time. **Shape** [N].
        bins: Parts of the window.
        height: Rows of the sensor.
        width: Columns.
        start: us.
        stop: us.

    Returns:
        np.ndarray: float32. **Shape** [bins, 2, height, width].

    Raises:
        ValueError: A window without length, no bins, or events out of order or outside of the sensor.
    """
    if stop <= start:
        raise ValueError(f'event_counts: the window from {start} us to {stop} us has no length')
    t = _checked_times(events, bins, height, width, 'event_counts')
    return _count(events, _edges(t, bins, start, stop), height, width)


def stacked_histogram(events: np.ndarray, bins: int, height: int, width: int) -> np.ndarray:
    """Events per bin, polarity and pixel, in equal parts of the time from the first event to the last.

    The last event belongs to the last bin. Events that are all of one time are of the first bin.

    Args:
        events: ``EVENT`` in order of time. **Shape** [N].
        bins: Parts of the time.
        height: Rows of the sensor.
        width: Columns.

    Returns:
        np.ndarray: float32. **Shape** [bins, 2, height, width].

    Raises:
        ValueError: No bins, or events out of order or outside of the sensor.

    Source: the published hybrid pose code, ``StackedHistogram``.
    Differs: bins are found by whole numbers instead of float32 quotients; no events, or events of one time, are no
    error; an event outside of the sensor is one (the published code puts it on another pixel).
    """
    t = _checked_times(events, bins, height, width, 'stacked_histogram')
    if not len(t) or t[0] == t[-1]:
        edges = np.array([0] + [len(t)] * bins)
    else:
        edges = _edges(t, bins, int(t[0]), int(t[-1]))
        edges[-1] = len(t)
    return _count(events, edges, height, width)


def voxel_grid(events: np.ndarray, bins: int, height: int, width: int, normalize: bool = False) -> np.ndarray:
    """Sum of polarities (1, -1) per bin and pixel; each event is shared by the two bins next to its time.

    The first bin is at the time of the first event, the last at that of the last; events of one time are of the
    first bin.

    Args:
        events: ``EVENT`` in order of time. **Shape** [N].
        bins: Points in time.
        height: Rows of the sensor.
        width: Columns.
        normalize: Subtract the mean of the cells that are not zero, and divide by their standard deviation.

    Returns:
        np.ndarray: float32. **Shape** [bins, 1, height, width].

    Raises:
        ValueError: No bins, or events out of order or outside of the sensor.

    Source: Zhu et al., "Unsupervised Event-based Learning of Optical Flow, Depth, and Egomotion" (2019), equation 1,
    normalised as in E2VID. Differs: sums in float64.
    """
    t = _checked_times(events, bins, height, width, 'voxel_grid')
    cells, steps = height * width, max(1, bins - 1)
    grid = np.zeros((steps + 1, cells))
    span = int(t[-1] - t[0]) if len(t) and bins > 1 else 0
    edges = _edges(t, steps, int(t[0]), int(t[-1])) if span else np.zeros(steps + 1, int)
    edges[1 if not span else -1:] = len(t)  # the last event belongs to the last step; without a span all to the first
    for k, run in _runs(edges):
        place = _places(events[run], height, width)
        both = _signed(np.bincount(place, minlength=2 * cells))
        grid[k] += both
        if span:  # times are summed as whole us, and only the sums divided
            later = _signed(np.bincount(place, t[run] - t[0], 2 * cells)) * (steps / span) - k * both
            grid[k] -= later
            grid[k + 1] += later
    grid = grid[:bins]
    if normalize:
        grid = _standardised(grid)
    return grid.reshape(bins, 1, height, width).astype(np.float32)


def time_surface(events: np.ndarray, height: int, width: int, tau: float, at: int | None = None) -> np.ndarray:
    """How lately each pixel fired: ``exp(-(at - t) / tau)`` of its last event of each polarity, 0 without any.

    Args:
        events: ``EVENT`` in order of time. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.
        tau: Time constant in us.
        at: us; later events are not seen. Default: the time of the last event.

    Returns:
        np.ndarray: float32 in [0, 1]. **Shape** [2, height, width].

    Raises:
        ValueError: ``tau`` is not positive, or events are out of order or outside of the sensor.

    Source: Lagorce et al., "HOTS: A Hierarchy Of event-based Time-Surfaces" (2017).
    """
    if tau <= 0:
        raise ValueError(f'time_surface: tau is {tau} us, expected a positive time')
    t = _checked_times(events, 1, height, width, 'time_surface')
    if at is not None:
        seen = np.searchsorted(t, at, side='right')
        events, t = events[:seen], t[:seen]
    elif len(t):
        at = int(t[-1])
    last = np.full(2 * height * width, -np.inf)
    for _, run in _runs(np.array([0, len(t)])):
        last[_places(events[run], height, width)] = t[run]  # of several times for a pixel the last one stays
    return np.exp((last - (at or 0)) / tau).reshape(2, height, width).astype(np.float32)


def polarity_channels(stack: np.ndarray) -> np.ndarray:
    """Bins as channels: all bins of polarity 0, then all of polarity 1. [bins, 2, H, W] -> [2 * bins, H, W]."""
    return stack.swapaxes(0, 1).reshape(-1, *stack.shape[2:])


def three_sigma_image(events: np.ndarray, height: int, width: int) -> np.ndarray:
    """Event counts as grey values: 255 at three standard deviations of the counts that are not zero.

    Args:
        events: ``EVENT``, of both polarities. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.

    Returns:
        np.ndarray: uint8. **Shape** [height, width].

    Source: Calabrese et al., "DHP19: Dynamic Vision Sensor 3D Human Pose Dataset" (2019), section 3.
    """
    _checked_times(events, 1, height, width, 'three_sigma_image')
    place = events['y'].astype(np.int64) * width + events['x']
    counts = np.bincount(place, minlength=height * width).reshape(height, width)
    spread = counts[counts > 0].std() if counts.any() else 0.
    if spread == 0:  # every pixel alike: as far from zero as can be
        return np.where(counts > 0, 255, 0).astype(np.uint8)
    return np.minimum(counts / (3 * spread) * 255, 255).astype(np.uint8)


def _checked_times(events: np.ndarray, bins: int, height: int, width: int, where: str) -> np.ndarray:
    """Times side by side in memory, of events that may be counted. **Shape** [N]."""
    if bins < 1:
        raise ValueError(f'{where}: {bins} bins, expected at least 1')
    t = np.ascontiguousarray(events['t'])
    require_order(t, where)
    require_inside(events, height, width, where)
    return t


def _edges(t: np.ndarray, bins: int, start: int, stop: int) -> np.ndarray:
    """Numbers of the first event of each bin, and of the first after the last bin. **Shape** [bins + 1]."""
    times = [start - -k * (stop - start) // bins for k in range(bins + 1)]  # rounded up: the first whole us of a bin
    return np.searchsorted(t, times)


def _count(events: np.ndarray, edges: np.ndarray, height: int, width: int) -> np.ndarray:
    """Counts of the runs of events between the edges. **Shape** [len(edges) - 1, 2, height, width]."""
    cells = 2 * height * width
    counts = np.zeros((len(edges) - 1, cells), np.float32)
    for k, run in _runs(edges):
        counts[k] += np.bincount(_places(events[run], height, width), minlength=cells).astype(np.float32)
    return counts.reshape(-1, 2, height, width)


def _runs(edges: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Number of the bin and some of its events, few enough for what is computed of them to stay in the cache."""
    for k, (first, last) in enumerate(pairwise(edges.tolist())):
        for start in range(first, last, PIECE):
            yield k, slice(start, min(start + PIECE, last))


def _places(events: np.ndarray, height: int, width: int) -> np.ndarray:
    """Position of each event in [2, height, width]. int64, **Shape** [N]."""
    place = events['y'].astype(np.int64)
    place *= width
    place += events['x']
    place += (events['p'] > 0) * np.int64(height * width)
    return place


def _signed(sums: np.ndarray) -> np.ndarray:
    """Polarity 1 minus polarity 0. [2 * cells] -> [cells]."""
    darker, brighter = sums.reshape(2, -1)
    return brighter - darker


def _standardised(grid: np.ndarray) -> np.ndarray:
    filled = np.abs(grid) > ROUNDING
    grid[~filled] = 0  # polarities that cancel leave nothing but rounding
    values = grid[filled]
    if len(values):
        spread = values.std(ddof=1) if len(values) > 1 else 0.
        grid[filled] = (values - values.mean()) / (spread if spread > 0 else 1.)
    return grid
