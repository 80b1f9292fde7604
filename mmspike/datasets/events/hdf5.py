"""HDF5: the layout of DHP19 that our converters write, the one of Event-Human3.6m, and plain columns.

===========================================  ==================================================================
``cam{c}_events/{t,x,y,p}``                  DHP19: us, columns and rows from 1, 346x260, one group per camera;
                                             ``cam{c}_ms_to_idx``: number of the first event of each millisecond
``events/{t,x,y,p}``, ``cam_view``           Event-Human3.6m: ns, from 0; ``ms_to_idx``
``events/{t,x,y,p}``, or ``{t,x,y,p}``       plain: us, from 0; ``ms_to_idx`` where there is one
===========================================  ==================================================================

The attributes ``height``, ``width``, ``origin`` (of columns and rows), ``time_unit`` ('us', 'ns', 'ms', 's') and
``ordered`` (what the converter has checked need not be checked again) of the group, or of the file, say otherwise.
"""
from dataclasses import dataclass

import h5py
import numpy as np

from .event_array import EventFileError, make_events
from .event_file import EventFile, choose_stream

COLUMNS = ('t', 'x', 'y', 'p')
PER_MICROSECOND = {'ns': 1000, 'us': 1, 'ms': 1e-3, 's': 1e-6}
DHP19_SIZE = (260, 346)  # rows, columns of a DAVIS346


@dataclass
class Layout:
    """Where the columns of a stream are, and how they are meant.

    Args:
        columns: Datasets by name.
        index: Number of the first event of each millisecond, where the file has it.
        size: Rows and columns of the sensor, where known.
        origin: Number of the first column and row.
        time_unit: Of ``t``.
        ordered: Whether a converter has checked the order of time and the size.
    """

    columns: dict[str, h5py.Dataset]
    index: np.ndarray | None
    size: tuple[int, int] | None
    origin: int = 0
    time_unit: str = 'us'
    ordered: bool = False


class Hdf5Events(EventFile):
    """One stream of an HDF5 file, which stays open and is read where it is asked for.

    Args:
        path: The file.
        layout: Of the stream.
        stream: Its name.
    """

    def __init__(self, path: str, layout: Layout, stream: str = '') -> None:
        super().__init__(path, *(layout.size or (1, 1)), stream)
        self.layout, self._length = layout, len(layout.columns['t'])
        self._scale = PER_MICROSECOND[layout.time_unit]

    def __len__(self) -> int:
        return self._length

    def time_at(self, number: int) -> int:
        return int(self._times(number, number + 1)[0])

    def index(self, time: int) -> int:
        """As in the base; the index of milliseconds narrows the search to one."""
        index, ms = self.layout.index, time // 1000
        if index is None or not len(index) or ms < 0:
            return super().index(time)
        # Before the first event of millisecond ms is earlier than it; after the index ends there may be more
        first = int(index[min(ms, len(index) - 1)])
        last = int(index[ms + 1]) if ms + 1 < len(index) else len(self)
        return first + int(np.searchsorted(self._times(first, last), time))

    def _times(self, first: int, last: int) -> np.ndarray:
        t = self._column('t', first, last)
        if self._scale == 1:
            return t.astype(np.int64)
        if self._scale > 1:
            return t.astype(np.int64) // self._scale
        return np.round(t / self._scale).astype(np.int64)

    def _read(self, first: int, last: int) -> np.ndarray:
        # A coordinate below the origin wraps to one far outside of the sensor, which check_events names
        x, y = ((self._column(name, first, last).astype(np.int64) - self.layout.origin) % 2 ** 16 for name in 'xy')
        return make_events(self._times(first, last), x, y, self._column('p', first, last))

    def _column(self, name: str, first: int, last: int) -> np.ndarray:
        try:
            return self.layout.columns[name][first:last]
        except OSError as error:  # a compressed chunk that does not unpack
            raise EventFileError(self.path, f'{name} of the events {first} to {last - 1} cannot be read ({error}); it '
                                 'is damaged, copy or convert it again') from None


def open_file(path: str) -> h5py.File:
    """Open for reading.

    Raises:
        EventFileError: No HDF5, or truncated.
    """
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        why = 'is cut off: copy or download it again' if 'truncated' in str(error) else 'is no HDF5 file'
        raise EventFileError(path, f'it {why} ({error})') from None


def list_streams(path: str) -> list[str]:
    """Names of the cameras in a file: ``['cam0', ...]``, or ``['events']``, or ``['']`` for columns at the top."""
    with open_file(path) as file:
        return _streams(file)


def read_hdf5(path: str, stream: str | None) -> tuple[Hdf5Events, bool]:
    """Open a stream.

    Args:
        path: The file.
        stream: Its name; not needed where there is one only.

    Returns:
        The stream, and whether the size of its sensor is known.

    Raises:
        EventFileError: No events in it, no such stream, columns missing or of different lengths, an unknown unit of
            time, or an index that belongs to other events.
    """
    file = open_file(path)
    try:
        stream = choose_stream(path, _streams(file), stream)
        layout = _layout(path, file, stream)
    except EventFileError:
        raise
    except (OSError, KeyError, RuntimeError) as error:  # h5py's, for objects that it cannot open
        raise EventFileError(path, f'its groups cannot be read ({error}); it is damaged, copy or convert it again') \
            from None
    lengths = {name: len(column) for name, column in layout.columns.items()}
    if len(set(lengths.values())) > 1:
        raise EventFileError(path, f'the columns have different lengths, {lengths}; it was written only in part')
    if layout.index is not None and len(layout.index) and (
            int(layout.index.max()) > lengths['t'] or (np.diff(layout.index.astype(np.int64)) < 0).any()):
        raise EventFileError(path, f'ms_to_idx does not fit {lengths["t"]} events: it must rise from 0 to at most '
                             'their number; it belongs to other events, or the file was written only in part')
    return Hdf5Events(path, layout, stream), layout.size is not None


def _streams(file: h5py.File) -> list[str]:
    cameras = [name.removesuffix('_events') for name in file if name.endswith('_events')]
    groups = [name for name in file if isinstance(file[name], h5py.Group) and set(COLUMNS) <= set(file[name])]
    top = [''] if set(COLUMNS) <= set(file) else []
    return sorted(cameras) or sorted(groups) or top


def _layout(path: str, file: h5py.File, stream: str) -> Layout:
    camera = f'{stream}_events' in file
    group = file[f'{stream}_events'] if camera else file[stream] if stream else file
    missing = [name for name in COLUMNS if name not in group]
    if missing:
        raise EventFileError(path, f'{group.name} has no column {" and ".join(missing)}, it has {sorted(group)}; '
                             'expected t, x, y and p')
    facts = {**file.attrs, **group.attrs}
    human36m = not camera and 'cam_view' in file
    unit = facts.get('time_unit', 'ns' if human36m else 'us')
    if unit not in PER_MICROSECOND:
        raise EventFileError(path, f'time_unit is {unit!r}, expected one of {", ".join(PER_MICROSECOND)}')
    size = (int(facts['height']), int(facts['width'])) if {'height', 'width'} <= set(facts) else None
    index = file.get(f'{stream}_ms_to_idx' if camera else 'ms_to_idx', None)
    if index is None and not camera:
        index = group.get('ms_to_idx')
    return Layout(columns={name: group[name] for name in COLUMNS},
                  index=None if index is None else index[:], size=size or (DHP19_SIZE if camera else None),
                  origin=int(facts.get('origin', 1 if camera else 0)), time_unit=unit,
                  ordered=bool(facts.get('ordered', False)))
