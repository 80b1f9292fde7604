"""N-MNIST and its kin (.bin, .bs2): 5 bytes per event, big-endian: x, y, polarity (1 bit) and us (23 bits).

A record with y = 240 is no event: the camera's own counter has started again, and later times are 2^13 us later.
"""
import numpy as np

from .byte_header import read_records
from .event_array import EventFileError, make_events, unwrapped

SIDE = 34
PERIOD = 2 ** 23
OVERFLOW_ROW, OVERFLOW = 240, 2 ** 13


def read_nmnist(path: str) -> np.ndarray:
    """All events; a counter that starts again (every 8.4 s) is followed.

    Raises:
        EventFileError: Truncated.
    """
    data = read_records(path, 0, np.dtype(('u1', 5)))  # [N, 5]
    high, middle, low = (data[:, k].astype(np.int64) for k in (2, 3, 4))
    mark = data[:, 1] == OVERFLOW_ROW
    t = unwrapped((high & 0x7F) << 16 | middle << 8 | low, PERIOD) + OVERFLOW * np.cumsum(mark)
    return make_events(t, data[:, 0], data[:, 1], high >> 7)[~mark]


def sensor_size(path: str, events: np.ndarray) -> tuple[int, int] | None:
    """34 x 34 where all events fit, else unknown: N-Caltech101 uses the same bytes for other sizes.

    Raises:
        EventFileError: No events at all.
    """
    if not len(events):
        raise EventFileError(path, 'there are no events in it')
    return (SIDE, SIDE) if max(events['x'].max(), events['y'].max()) < SIDE else None
