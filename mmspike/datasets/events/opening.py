"""One function opens every format; which one a file has is seen from its first bytes, else from its name."""
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import hdf5
from .event_array import EventFileError, outside
from .event_file import ArrayEvents, EventFile, check_events


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
        read: Called with path and stream.
        streams: Called with the path; None where a file holds one stream.
    """

    name: str
    suffixes: tuple[str, ...]
    is_it: Callable[[bytes], bool] | None
    read: Callable[[str, str], Recording]
    streams: Callable[[str], list[str]] | None = None


def _read_hdf5(path: str, stream: str) -> Recording:
    file, sized = hdf5.read_hdf5(path, stream)
    return Recording(file, sized, checked=file.layout.ordered and sized)


FORMATS = (
    Format('HDF5', ('.h5', '.hdf5', '.hdf'), lambda head: head.startswith(b'\x89HDF\r\n\x1a\n'), _read_hdf5,
           hdf5.list_streams),
)
HEAD = 64


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
                size: tuple[int, int] | None = None, sort: bool = False, drop_outside: bool = False) -> EventFile:
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

    Returns:
        EventFile: With ``between``, ``last``, ``index`` and slices; ``height`` and ``width``.

    Raises:
        FileNotFoundError: There is no such file.
        EventFileError: Of no known format, truncated, out of order, outside of the sensor, or of several cameras
            of which none is named.
    """
    kind = identify(path, format)
    streams = kind.streams(str(path)) if kind.streams else ['']
    if not streams:
        raise EventFileError(str(path), f'there are no events in this {kind.name} file')
    if stream is None and len(streams) > 1:
        raise EventFileError(str(path), f'it holds {len(streams)} streams, say which: stream= one of '
                             f'{", ".join(streams)}')
    if stream is not None and stream not in streams:
        raise EventFileError(str(path), f'it has no stream {stream!r}, it has '
                             f'{", ".join(filter(None, streams)) or "one without a name"}')
    found = kind.read(str(path), streams[0] if stream is None else stream)
    file, sized = found.file, found.sized
    if size is not None:
        file.height, file.width = size
        sized = True
    if sort or drop_outside:
        file = _repaired(file, sort, drop_outside and sized)
    if sort or drop_outside or size is not None or not found.checked:
        check_events(file, sized)
    return file


def _repaired(file: EventFile, sort: bool, drop: bool) -> ArrayEvents:
    events = file[:]
    if sort:
        events = events[np.argsort(events['t'], kind='stable')]
    if drop:
        events = events[~outside(events, file.height, file.width)]
    return ArrayEvents(file.path, events, file.height, file.width, file.stream)
