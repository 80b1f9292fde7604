"""One function opens every format; which one a file has is seen from its first bytes, else from its name."""
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import aedat2, aedat4, columns, hdf5, nmnist, prophesee_dat, prophesee_raw
from .event_array import EventFileError, outside
from .event_file import ArrayEvents, EventFile, check_events, choose_stream, extent

HEAD = 4096
RAW_LINE = re.compile(rb'^% *(evt \d|format EVT)', re.MULTILINE)


@dataclass
class Recording:
    """What a reader found: the opened file, and how much of it is known.

    Args:
        file: Opened, not yet checked.
        sized: Whether the file or its format says how large the sensor is.
        checked: Whether order and size need no check.
    """

    file: EventFile
    sized: bool
    checked: bool = False


@dataclass
class Format:
    """A file format.

    Args:
        name: For messages and the ``format`` argument.
        suffixes: Of file names.
        is_it: Whether a file that begins with these bytes has this format; None where only the name tells.
        read: Called with the path and the wanted stream, if any.
        streams: Names of the streams of a file; None where all files hold one.
    """

    name: str
    suffixes: tuple[str, ...]
    is_it: Callable[[bytes], bool] | None
    read: Callable[[str, str | None], Recording]
    streams: Callable[[str], list[str]] | None = None


def _array(path: str, events: np.ndarray, size: tuple[int, int] | None, stream: str = '') -> Recording:
    return Recording(ArrayEvents(path, events, *(size or (1, 1)), stream), size is not None)


def _hdf5(path: str, stream: str | None) -> Recording:
    file, sized = hdf5.read_hdf5(path, stream)
    return Recording(file, sized, checked=file.layout.ordered and sized)


def _aedat2(path: str, stream: str | None) -> Recording:
    found = aedat2.read_aedat2(path)
    name = choose_stream(path, aedat2.camera_names(found), stream)
    return _array(path, aedat2.camera_events(found, name), (aedat2.HEIGHT, aedat2.WIDTH), name)


def _aedat4(path: str, stream: str | None) -> Recording:
    name, events, size = aedat4.read_aedat4(path, stream)
    return _array(path, events, size, name)


def _single(read: Callable[[str], Recording]) -> Callable[[str, str | None], Recording]:
    """A reader of files with one stream."""

    def read_stream(path: str, stream: str | None) -> Recording:
        choose_stream(path, [''], stream)
        return read(path)

    return read_stream


def _nmnist(path: str) -> Recording:
    events = nmnist.read_nmnist(path)
    return _array(path, events, nmnist.sensor_size(path, events))


FORMATS = (
    Format('HDF5', ('.h5', '.hdf5', '.hdf'), lambda head: head.startswith(b'\x89HDF\r\n\x1a\n'), _hdf5,
           hdf5.list_streams),
    Format('AEDAT4', ('.aedat4',), lambda head: head.startswith(aedat4.MAGIC), _aedat4, aedat4.streams_of),
    Format('AEDAT2', ('.aedat', '.aedat2'), lambda head: head.startswith(aedat2.MAGIC), _aedat2,
           lambda path: aedat2.camera_names(aedat2.read_aedat2(path))),
    Format('RAW', ('.raw',), lambda head: head.startswith(b'%') and RAW_LINE.search(head) is not None,
           _single(lambda path: _array(path, *prophesee_raw.read_raw(path)))),
    Format('DAT', ('.dat',), lambda head: head.startswith(b'%'),
           _single(lambda path: Recording(*prophesee_dat.read_dat(path)))),
    Format('NPY', ('.npy',), lambda head: head.startswith(b'\x93NUMPY'),
           _single(lambda path: _array(path, columns.read_npy(path), None))),
    Format('NPZ', ('.npz',), lambda head: head.startswith(b'PK'),
           _single(lambda path: _array(path, *columns.read_npz(path)))),
    Format('text', ('.txt', '.csv', '.tsv'), None, _single(lambda path: _array(path, *columns.read_text(path)))),
    Format('N-MNIST', ('.bin', '.bs2'), None, _single(_nmnist)),
)


def identify(path: str | Path, name: str | None = None) -> Format:
    """The format of a file.

    Args:
        path: The file.
        name: Of a format, to overrule what its content and name say.

    Raises:
        FileNotFoundError: There is no such file.
        EventFileError: Empty, or of no known format.
    """
    path, known = Path(path), {one.name: one for one in FORMATS}
    if name is not None:
        if name not in known:
            raise ValueError(f'open_events: no format {name!r}; there is {", ".join(known)}')
        return known[name]
    if not path.is_file():
        what = 'is a folder, expected one file' if path.is_dir() else 'does not exist'
        raise FileNotFoundError(f'the event file {path} {what}')
    with open(path, 'rb') as file:
        head = file.read(HEAD)
    if not head:
        raise EventFileError(str(path), 'it is empty (0 bytes); copy or download it again')
    by_content = [one for one in FORMATS if one.is_it and one.is_it(head)]
    by_name = [one for one in FORMATS if path.suffix.lower() in one.suffixes]
    if by_content:
        return by_content[0]
    plain = [one for one in by_name if one.is_it is None]
    if plain:
        return plain[0]
    if by_name:
        raise EventFileError(str(path), f'its name says {by_name[0].name}, but it does not begin like one (with '
                             f'{head[:12]!r}); rename it, or name its format: format=... (one of {", ".join(known)})')
    raise EventFileError(str(path), f'neither its content nor its suffix {path.suffix!r} is that of a known format '
                         f'({", ".join(known)}); name one with format=...')


def event_streams(path: str | Path, format: str | None = None) -> list[str]:
    """Names of the cameras in a file, such as ``['cam0', 'cam1', 'cam2', 'cam3']``; ``['']`` where there is one."""
    kind = identify(path, format)
    return kind.streams(str(path)) if kind.streams else ['']


def open_events(path: str | Path, stream: str | None = None, *, format: str | None = None,
                size: tuple[int, int] | None = None, sort: bool = False, drop_outside: bool = False,
                check: bool = True) -> EventFile:
    """Open an event file of any known format.

    Args:
        path: The file.
        stream: Which camera, in a file of several (``'cam3'``, see :func:`event_streams`).
        format: Name of the format (see ``FORMATS``) where content and name of the file do not tell.
        size: Rows and columns of the sensor, where the file does not say. By default as many as the events need.
        sort: Put events in order of time, those of one microsecond as they came, instead of refusing the file. Reads
            it into memory.
        drop_outside: Leave events out that lie outside of the sensor, instead of refusing the file. Reads it into
            memory.
        check: Look at every event once, for order and place. Without it a large file opens at once; the
            representations refuse such events too.

    Returns:
        EventFile: With ``between``, ``last``, ``index`` and slices; ``height`` and ``width``.

    Raises:
        FileNotFoundError: There is no such file.
        EventFileError: Of no known format, truncated, out of order, outside of the sensor, or of several cameras
            of which none is named.
    """
    kind = identify(path, format)
    found = kind.read(str(path), stream)
    file, sized = found.file, found.sized
    # What a converter has checked was checked against the file's own size
    checked = found.checked and not (sort or drop_outside) and size in (None, (file.height, file.width))
    if size is not None:
        file.height, file.width = size
        sized = True
    if sort or drop_outside:
        file = _repaired(file, sort, drop_outside and sized)
    if not sized:
        file.sized, (file.height, file.width) = False, extent(file)
    if check and not checked:
        check_events(file)
    return file


def _repaired(file: EventFile, sort: bool, drop: bool) -> ArrayEvents:
    events = file[:]
    if sort:
        events = events[np.argsort(events['t'], kind='stable')]
    if drop:
        events = events[~outside(events, file.height, file.width)]
    return ArrayEvents(file.path, events, file.height, file.width, file.stream)
