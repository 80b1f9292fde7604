"""Events as dense arrays: counts by window, the published histogram, voxels, time surfaces.

Every function takes ``EVENT`` arrays in order of time, empty ones too, and refuses events outside of the sensor.
Counting is a ``np.bincount`` over pixels for each bin, whose events are a run of the array: no bin number per event,
and an accumulator that stays in the cache.
"""
import numpy as np

from .event_array import require_inside, require_order

ROUNDING = 1e-9


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
    _check(events, bins, height, width, 'event_counts')
    return _count(events, _edges(events['t'], bins, start, stop), height, width)


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
    _check(events, bins, height, width, 'stacked_histogram')
    t = events['t']
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
    _check(events, bins, height, width, 'voxel_grid')
    t, cells, grid = events['t'], height * width, np.zeros(bins * height * width)
    if len(t):
        span = int(t[-1] - t[0])
        time = (t - t[0]) * ((bins - 1) / span) if span else np.zeros(len(t))
        lower = np.minimum(time.astype(np.int64), bins - 1)
        polarity = np.where(events['p'] > 0, 1., -1.)
        share = (time - lower) * polarity  # of the later bin
        place = lower * cells + events['y'].astype(np.int64) * width + events['x']
        grid = np.bincount(place, polarity - share, bins * cells)
        grid[cells:] += np.bincount(place, share, bins * cells)[:-cells] if bins > 1 else 0
        grid[np.abs(grid) < ROUNDING] = 0  # polarities that cancel leave nothing but rounding
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
    _check(events, 1, height, width, 'time_surface')
    if at is not None:
        events = events[:np.searchsorted(events['t'], at, side='right')]
    elif len(events):
        at = int(events['t'][-1])
    surface = np.zeros(2 * height * width, np.float32)
    last = np.full(2 * height * width, -1)
    last[_places(events, height, width)] = np.arange(len(events))  # of several numbers for a pixel the last one stays
    fired = last >= 0
    surface[fired] = np.exp((events['t'][last[fired]] - at) / tau)
    return surface.reshape(2, height, width)


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
    _check(events, 1, height, width, 'three_sigma_image')
    place = events['y'].astype(np.int64) * width + events['x']
    counts = np.bincount(place, minlength=height * width).reshape(height, width)
    spread = counts[counts > 0].std() if counts.any() else 0.
    if spread == 0:  # every pixel alike: as far from zero as can be
        return np.where(counts > 0, 255, 0).astype(np.uint8)
    return np.minimum(counts / (3 * spread) * 255, 255).astype(np.uint8)


def _check(events: np.ndarray, bins: int, height: int, width: int, where: str) -> None:
    if bins < 1:
        raise ValueError(f'{where}: {bins} bins, expected at least 1')
    require_order(events, where)
    require_inside(events, height, width, where)


def _edges(t: np.ndarray, bins: int, start: int, stop: int) -> np.ndarray:
    """Numbers of the first event of each bin, and of the first after the last bin. **Shape** [bins + 1]."""
    times = [start - -k * (stop - start) // bins for k in range(bins + 1)]  # rounded up: the first whole us of a bin
    return np.searchsorted(np.ascontiguousarray(t), times)


def _count(events: np.ndarray, edges: np.ndarray, height: int, width: int) -> np.ndarray:
    """Counts of the runs of events between the edges. **Shape** [len(edges) - 1, 2, height, width]."""
    cells = 2 * height * width
    counts = np.empty((len(edges) - 1, cells), np.float32)
    places = _places(events[edges[0]:edges[-1]], height, width)
    for k, (first, last) in enumerate(zip(edges[:-1] - edges[0], edges[1:] - edges[0], strict=True)):
        counts[k] = np.bincount(places[first:last], minlength=cells)
    return counts.reshape(-1, 2, height, width)


def _places(events: np.ndarray, height: int, width: int) -> np.ndarray:
    """Position of each event in [2, height, width]. int64, **Shape** [N]."""
    rows = (events['p'] > 0) * np.int64(height) + events['y']
    return rows * width + events['x']


def _standardised(grid: np.ndarray) -> np.ndarray:
    filled = grid != 0
    values = grid[filled]
    if len(values):
        spread = values.std(ddof=1) if len(values) > 1 else 0.
        grid[filled] = (values - values.mean()) / (spread if spread > 0 else 1.)
    return grid
