"""Small event files in the formats of cameras and simulators, written word by word."""
import struct

import h5py
import numpy as np
from scipy.io import savemat

from mmspike.datasets.events import make_events
from mmspike.structures import load_skeleton


def random_events(number, height=260, width=346, duration=100_000, seed=0):
    """Events in order of time."""
    rng = np.random.default_rng(seed)
    return make_events(np.sort(rng.integers(0, duration, number)), rng.integers(0, width, number),
                       rng.integers(0, height, number), rng.integers(0, 2, number))


def aedat2_address(camera, x, y, p):
    """Of an event, from columns and rows of the picture."""
    return (259 - y) << 22 | (345 - x) << 12 | p << 11 | camera


def write_aedat2(path, records):
    """Records are pairs of address and us (32 bits are kept)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = b'#!AER-DAT2.0\r\n# a recording\r\n'
    path.write_bytes(head + b''.join(struct.pack('>II', address, t % 2 ** 32) for address, t in records))


def camera_records(cameras, special=()):
    """All cameras merged in order of time, and special events; ``cameras`` maps a number to its events."""
    records = [(aedat2_address(camera, x, y, p), t) for camera, events in cameras.items()
               for t, x, y, p in events.tolist()]
    return sorted(records + [(1 << 10, t) for t in special], key=lambda record: record[1])


def write_vicon(path, poses):
    """Motion capture; **Shape** [N, 13, 3]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    joints = load_skeleton('dhp19').joints
    savemat(path, dict(XYZPOS={joint: poses[:, k] for k, joint in enumerate(joints)}))


def write_dat(path, events, header='% Version 2\n% Height 260\n% Width 346\n', kind=(0x0C, 8)):
    body = b''.join(struct.pack('<II', t % 2 ** 32, p << 28 | y << 14 | x) for t, x, y, p in events.tolist())
    path.write_bytes(header.encode() + bytes(kind) + body)


def write_nmnist(path, events):
    path.write_bytes(b''.join(bytes([x, y, p << 7 | t >> 16 & 0x7F, t >> 8 & 0xFF, t & 0xFF])
                              for t, x, y, p in events.tolist()))


def evt2_words(events):
    """A time stamp (TIME_HIGH) wherever the upper bits change."""
    words, high = [], None
    for t, x, y, p in events.tolist():
        if t >> 6 != high:
            high = t >> 6
            words.append(0x8 << 28 | high & 0xFFFFFFF)
        words.append(p << 28 | (t & 0x3F) << 22 | x << 11 | y)
    return np.array(words, '<u4')


def evt3_words(events, vectors=True):
    """Events of one time, row and polarity at rising columns go into vectors, others into single words."""
    words, time, row = [], None, None
    rows = events.tolist()
    for first in range(len(rows)):
        t, x, y, p = rows[first]
        if time is None or t >> 12 != time >> 12:
            words.append(0x8 << 12 | t >> 12 & 0xFFF)
        if t != time:
            words.append(0x6 << 12 | t & 0xFFF)
        if y != row:
            words.append(y)
        time, row = t, y
        if vectors and first % 3 == 0:
            words += [0x3 << 12 | p << 11 | max(0, x - 14)]
            offset = x - max(0, x - 14)
            words += [0x4 << 12 | (1 << offset if offset < 12 else 0)]
            words += [0x5 << 12 | (1 << offset - 12 if offset >= 12 else 0)]
        else:
            words.append(0x2 << 12 | p << 11 | x)
    return np.array(words, '<u2')


def write_raw(path, words, header='% evt 3.0\n% geometry 346x260\n% end\n'):
    path.write_bytes(header.encode() + words.tobytes())


def write_columns(path, group, events, origin=0, scale=1, **rest):
    """HDF5 columns in a group; ``rest`` are further data sets."""
    with h5py.File(path, 'a') as file:
        for name in 'txyp':
            factor, offset = (scale, 0) if name == 't' else (1, origin if name in 'xy' else 0)
            file[f'{group}/{name}' if group else name] = events[name].astype(np.int64) * factor + offset
        for name, value in rest.items():
            file[name] = value


def ms_index(events, duration):
    return np.searchsorted(np.ascontiguousarray(events['t']), np.arange(0, duration, 1000))
