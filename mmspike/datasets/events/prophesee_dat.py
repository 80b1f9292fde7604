"""Prophesee .dat, version 2: a text header with ``%``, two bytes of type and size, then 8 bytes per event.

Time (uint32, us) and address (uint32: 14 bits of x, 14 of y, 4 of polarity), little-endian. Mapped into memory, so
that only what is asked for is read.
"""
import re

import numpy as np

from .byte_header import read_records, split_header
from .event_array import EventFileError, make_events
from .event_file import CHUNK, EventFile

RECORD = np.dtype([('t', '<u4'), ('address', '<u4')])
TYPES = (0x00, 0x0C)  # 2D events, and changes of contrast
PERIOD = 2 ** 32


class DatEvents(EventFile):
    """Records of a .dat file.

    Args:
        path: The file.
        records: ``RECORD``. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.
    """

    def __init__(self, path: str, records: np.ndarray, height: int, width: int) -> None:
        super().__init__(path, height, width)
        self.records = records
        t = records['t']  # the counter starts again after 71 minutes
        self._restarts = np.concatenate([_restarts(t, first) for first in range(0, max(1, len(t)), CHUNK)])

    def __len__(self) -> int:
        return len(self.records)

    def time_at(self, number: int) -> int:
        return int(self.records['t'][number]) + PERIOD * int(np.searchsorted(self._restarts, number, side='right'))

    def _read(self, first: int, last: int) -> np.ndarray:
        records = self.records[first:last]
        t, address = records['t'].astype(np.int64), np.asarray(records['address'])
        if len(self._restarts):
            t += PERIOD * np.searchsorted(self._restarts, np.arange(first, last), side='right')
        return make_events(t, address & 0x3FFF, address >> 14 & 0x3FFF, address >> 28)


def read_dat(path: str) -> tuple[DatEvents, bool]:
    """Open a file.

    Returns:
        The events, and whether the header says how large the sensor is.

    Raises:
        EventFileError: Another version, another type of records, or truncated.
    """
    lines, start = split_header(path, b'%', 'end')
    header = '\n'.join(lines)
    version = re.search(r'^Version (\d+)', header, re.MULTILINE)
    if version is None or version[1] != '2':
        raise EventFileError(path, f'its header names {f"version {version[1]}" if version else "no version"}, expected '
                             'version 2; convert it to .raw or .h5 with the tools of the camera')
    with open(path, 'rb') as file:
        file.seek(start)
        kind = file.read(2)
    if len(kind) < 2:
        raise EventFileError(path, 'it is cut off after its header; copy or download it again')
    if kind[0] not in TYPES or kind[1] != RECORD.itemsize:
        raise EventFileError(path, f'it holds records of type {kind[0]} with {kind[1]} bytes, expected events (type 0 '
                             f'or 12) with {RECORD.itemsize} bytes')
    size = [re.search(rf'^{name} (\d+)', header, re.MULTILINE) for name in ('Height', 'Width')]
    sized = all(size)
    height, width = (int(found[1]) for found in size) if sized else (1, 1)
    return DatEvents(path, read_records(path, start + 2, RECORD, mapped=True), height, width), sized


def _restarts(t: np.ndarray, first: int) -> np.ndarray:
    """Numbers of the records, of one chunk, at which the counter has started again."""
    before = max(0, first - 1)
    part = t[before:first + CHUNK].astype(np.int64)
    return np.flatnonzero(np.diff(part) < -(PERIOD // 2)) + before + 1
