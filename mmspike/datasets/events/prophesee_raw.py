"""Prophesee .raw, EVT2 and EVT3: words that each carry a part of an event, after a text header with ``%``.

EVT2, 32 bits: ``CD`` (polarity in the type, 6 bits of time, x, y) and ``TIME_HIGH`` (28 bits).
EVT3, 16 bits: ``ADDR_Y``, ``ADDR_X`` (polarity, x: one event), ``VECT_BASE_X`` (polarity, x), ``VECT_12`` and
``VECT_8`` (one event for each bit, and x moves on), ``TIME_LOW`` and ``TIME_HIGH`` (12 bits each).

Decoded without a loop over words: what a word needs of earlier ones (row, base, time) is the last word of that type
before it, found by a running maximum of positions.

Source: the descriptions of the EVT 2.0 and EVT 3.0 formats in the manual of the Metavision SDK.
"""
import re

import numpy as np

from .byte_header import read_records, split_header
from .event_array import EventFileError, make_events, unwrapped

EVT2_CD, EVT2_TIME_HIGH = (0x0, 0x1), 0x8
ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8


def read_raw(path: str) -> tuple[np.ndarray, tuple[int, int] | None]:
    """All events of a recording, and rows and columns of the sensor where the header says them.

    Events before the first time stamp have no time, and are left out.

    Raises:
        EventFileError: Another encoding, truncated, or without a time stamp.
    """
    lines, start = split_header(path, b'%', 'end')
    header = '\n'.join(lines)
    encoding = re.search(r'^(?:evt |format EVT)(\d)', header, re.MULTILINE)
    if encoding is None or encoding[1] not in '23':
        raise EventFileError(path, f'its header names {f"EVT{encoding[1]}" if encoding else "no encoding"}, expected '
                             'EVT2 or EVT3; convert it with the tools of the camera')
    words = read_records(path, start, '<u4' if encoding[1] == '2' else '<u2')
    events = (decode_evt2 if encoding[1] == '2' else decode_evt3)(words)
    if events is None:
        raise EventFileError(path, f'none of its {len(words)} words is a time stamp (TIME_HIGH); it is cut off, or '
                             f'not of the encoding EVT{encoding[1]} that its header names')
    return events, _size(header)


def decode_evt2(words: np.ndarray) -> np.ndarray | None:
    """uint32 words to events; None without any time stamp."""
    kind = words >> 28
    high = np.flatnonzero(kind == EVT2_TIME_HIGH)
    if not len(high):
        return None
    place = np.flatnonzero(np.isin(kind, EVT2_CD))
    place = place[place > high[0]]
    word = words[place].astype(np.int64)
    upper = unwrapped(words[high].astype(np.int64) & 0xFFFFFFF, 2 ** 28)
    t = upper[np.searchsorted(high, place) - 1] << 6 | word >> 22 & 0x3F
    return make_events(t, word >> 11 & 0x7FF, word & 0x7FF, word >> 28)


def decode_evt3(words: np.ndarray) -> np.ndarray | None:
    """uint16 words to events; None without any time stamp."""
    kind, value = words >> 12, (words & 0xFFF).astype(np.int64)
    high = np.flatnonzero(kind == TIME_HIGH)
    if not len(high):
        return None
    width = np.select([kind == VECT_12, kind == VECT_8], [12, 8], 0)
    vectors = np.flatnonzero(width)
    bits = (value[vectors, None] >> np.arange(12)) & (np.arange(12) < width[vectors, None])  # [V, 12], 0 or 1
    vector, bit = np.nonzero(bits)
    # x of a vector: the base, and the widths of the vectors since it
    base = _latest(kind == VECT_BASE_X)[vectors]
    passed = np.cumsum(width) - width
    origin = (value[base] & 0x7FF) + passed[vectors] - passed[base]
    single = np.flatnonzero(kind == ADDR_X)
    place = np.concatenate([single, vectors[vector]])
    x = np.concatenate([value[single] & 0x7FF, origin[vector] + bit])
    p = np.concatenate([value[single] >> 11, value[base[vector]] >> 11])
    order = np.argsort(place, kind='stable')
    place, x, p = place[order], x[order], p[order]
    timed = place > high[0]
    place, x, p = place[timed], x[timed], p[timed]
    y = value[_latest(kind == ADDR_Y)[place]] & 0x7FF
    return make_events(_evt3_times(kind, value, high)[place], x, y, p)


def _evt3_times(kind: np.ndarray, value: np.ndarray, high: np.ndarray) -> np.ndarray:
    """us at each word; low bits count from 0 again when the high ones change."""
    upper = unwrapped(value[high], 2 ** 12)
    changed = high[np.diff(upper, prepend=-1) != 0]
    is_high, has_changed = np.zeros(len(kind), bool), np.zeros(len(kind), bool)
    is_high[high] = True
    has_changed[changed] = True
    low = _latest(kind == TIME_LOW)
    lower = np.where(low > _latest(has_changed), value[low], 0)
    number = np.maximum(np.cumsum(is_high) - 1, 0)
    return upper[number] << 12 | lower


def _latest(mask: np.ndarray) -> np.ndarray:
    """Position of the last word up to each one that a mask marks; 0 before the first."""
    return np.maximum.accumulate(np.where(mask, np.arange(len(mask)), 0))


def _size(header: str) -> tuple[int, int] | None:
    geometry = re.search(r'^geometry (\d+)x(\d+)', header, re.MULTILINE)
    if geometry:
        return int(geometry[2]), int(geometry[1])
    height, width = (re.search(rf'^format .*\b{name}=(\d+)', header, re.MULTILINE) for name in ('height', 'width'))
    return (int(height[1]), int(width[1])) if height and width else None
