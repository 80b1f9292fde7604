"""The text header of camera recordings, and records of a fixed size after it."""
from pathlib import Path

import numpy as np

from .event_array import EventFileError

MAX_HEADER = 2 ** 16
TEXT = frozenset(range(32, 127)) | {9, 13}


def split_header(path: str, mark: bytes, end: str | None = None) -> tuple[list[str], int]:
    """The lines at the start of a file that begin with a mark, and where the data begin.

    Args:
        path: The file.
        mark: ``b'%'`` or ``b'#'``.
        end: Line that closes the header, for data that may begin with the mark.

    Returns:
        The lines without mark and white space, and the number of bytes before the data.
    """
    with open(path, 'rb') as file:
        head = file.read(MAX_HEADER)
    lines, position = [], 0
    while head[position:position + 1] == mark:
        stop = head.find(b'\n', position)
        line = head[position + 1:stop if stop >= 0 else len(head)]
        if not TEXT.issuperset(line):
            break  # data that begin like a line of the header
        if stop < 0:
            raise EventFileError(path, f'its header does not end within {len(head)} bytes; it is cut off or damaged')
        lines.append(line.decode('ascii').strip())
        position = stop + 1
        if end is not None and lines[-1] == end:
            break
    return lines, position


def read_records(path: str, start: int, dtype: np.dtype, mapped: bool = False) -> np.ndarray:
    """All records from a position to the end of the file.

    Args:
        path: The file.
        start: Bytes before the first record.
        dtype: Of a record.
        mapped: Map the file into memory instead of reading it.

    Raises:
        EventFileError: The file ends within a record.
    """
    dtype, size = np.dtype(dtype), Path(path).stat().st_size - start
    if size % dtype.itemsize:
        raise EventFileError(path, f'it is cut off: {size} bytes of data are {size // dtype.itemsize} records of '
                             f'{dtype.itemsize} bytes and {size % dtype.itemsize} bytes of another; copy or download '
                             'it again')
    if not size:
        return np.empty(0, dtype)
    if mapped:
        return np.memmap(path, dtype, 'r', start)
    return np.fromfile(path, dtype, offset=start)
