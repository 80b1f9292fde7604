"""Which events of a recording are worth keeping: without hot pixels and background activity."""
import numpy as np

from .event_array import require_inside, require_order

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


def hot_pixels(events: np.ndarray, height: int, width: int, limit: int) -> np.ndarray:
    """Which events come from pixels with at least so many of them.

    Args:
        events: ``EVENT``. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.
        limit: Events of a pixel.

    Returns:
        np.ndarray: bool. **Shape** [N].
    """
    place = _pixels(events, width)
    return (np.bincount(place, minlength=height * width) >= limit)[place]


def supported(events: np.ndarray, height: int, width: int, window: int, own_pixel: bool = False) -> np.ndarray:
    """Which events have another one shortly before them in a neighbouring pixel; the others are background activity.

    An event is kept where one of the 8 pixels around it has an earlier event (earlier in the array), at most ``window``
    us ago. Pixels on the border of the sensor support nobody. Time begins at 0, where every pixel counts as having
    just fired.

    Exact and without a loop over events. Sorted by pixel, then number, the events are keys that rise; the last event of
    a pixel before event i is what a search for (pixel, i) finds, and as the searches come sorted too, they run through
    memory in order. Each neighbour is asked only about those events that none before it has supported.

    Args:
        events: ``EVENT`` in order of time. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.
        window: us.
        own_pixel: An earlier event of the pixel itself counts too.

    Returns:
        np.ndarray: bool. **Shape** [N].

    Raises:
        ValueError: Events out of order, or outside of the sensor.

    Source: Delbruck, "Frame-free dynamic digital vision" (2008), as in the programs of DHP19.
    """
    total, t, pixel = len(events), np.ascontiguousarray(events['t']), _pixels(events, width)
    require_order(t, 'supported')
    require_inside(events, height, width, 'supported')
    kept = t <= window
    order = np.argsort(pixel, kind='stable')
    keys = pixel[order] * total + order  # (pixel, number), rising
    x, y = events['x'][order], events['y'][order]
    sources = keys[(x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)]
    waiting = keys[~kept[order]]
    for dy, dx in ((0, 0), *NEIGHBOURS) if own_pixel else NEIGHBOURS:
        if not len(sources) or not len(waiting):
            break
        # A column beyond the edge becomes one at the other edge: a border, which is no source
        moved = waiting + (dy * width + dx) * total
        number = waiting % total
        latest = sources[np.maximum(np.searchsorted(sources, moved) - 1, 0)]
        earlier = latest - (moved - number)  # number of the latest event of that pixel, where there is one
        near = (earlier >= 0) & (earlier < number)
        near[near] = t[number[near]] - t[earlier[near]] <= window
        kept[number[near]] = True
        waiting = waiting[~near]
    return kept


def _pixels(events: np.ndarray, width: int) -> np.ndarray:
    return events['y'].astype(np.int64) * width + events['x']
