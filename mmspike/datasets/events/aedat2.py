"""AEDAT 2, as DHP19 was recorded: four DAVIS346 whose events are merged into one stream.

A text header with ``#``; then 8 bytes per record, big-endian: address and time (uint32, us). In the address, from bit
0: camera in bits 0-3, special event in 10, polarity in 11, x in 12-21, y in 22-30, and bit 31 for pictures and motion
sensor, which are skipped. Columns and rows are turned to those of a picture, x' = 345 - x and y' = 259 - y.
"""
from dataclasses import dataclass

import numpy as np

from .byte_header import read_records, split_header
from .event_array import EventFileError, make_events, unwrapped

HEIGHT, WIDTH = 260, 346
MAGIC = b'#!AER-DAT2.'
PERIOD = 2 ** 32
RECORD = np.dtype([('address', '>u4'), ('t', '>u4')])


@dataclass
class Aedat2:
    """What a recording holds.

    Args:
        events: Of all cameras as they came; a counter that starts again is followed. ``EVENT``, **Shape** [N].
        camera: Number of the camera of each event. uint8, **Shape** [N].
        special: Times of the special (synchronisation) events, us. **Shape** [S].
        outside: How many events lay outside of the sensor, and are left out.
    """

    events: np.ndarray
    camera: np.ndarray
    special: np.ndarray
    outside: int


def read_aedat2(path: str) -> Aedat2:
    """Read a recording.

    Raises:
        EventFileError: Another format or version, truncated, or without events.
    """
    lines, start = split_header(path, b'#')
    if not lines or not lines[0].startswith('!AER-DAT2.'):
        raise EventFileError(path, f'it begins with {lines[0] if lines else "no header"!r}, expected #!AER-DAT2.0')
    records = read_records(path, start, RECORD)
    address = records['address'].astype(np.uint32)
    signal = address >> 31 == 0
    # Of these only: pictures come late, and one that comes after a restart of the counter would pass for another
    address, t = address[signal], unwrapped(records['t'][signal], PERIOD)
    special = address >> 10 & 1 == 1
    times = t[special]
    address, t = address[~special], t[~special]
    if not len(t):
        raise EventFileError(path, f'none of its {len(records)} records is an event')
    x, y = (address >> 12 & 0x3FF).astype(np.int32), (address >> 22 & 0x1FF).astype(np.int32)
    inside = (x < WIDTH) & (y < HEIGHT)
    events = make_events(t[inside], WIDTH - 1 - x[inside], HEIGHT - 1 - y[inside], address[inside] >> 11 & 1)
    return Aedat2(events, (address[inside] & 0xF).astype(np.uint8), times, int(len(t) - inside.sum()))


def camera_names(recording: Aedat2) -> list[str]:
    """Names of the cameras with events: ``['cam0', ...]``."""
    return [f'cam{number}' for number in np.unique(recording.camera)]


def camera_events(recording: Aedat2, name: str) -> np.ndarray:
    """The events of one camera. ``EVENT``, **Shape** [N]."""
    return recording.events[recording.camera == int(name.removeprefix('cam'))]
