"""An opened event file: its sensor, and slices by time and by count without a pass over all events."""
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from .event_array import EventFileError, describe_step_back, first_step_back, outside

CHUNK = 2 ** 20


class EventFile:
    """The events of one camera, in order of time.

    ``len(file)`` is their number, ``file[i:j]`` reads some by number; ``sized`` is False where the sensor is taken to
    be as large as the events need. A subclass says how one time stamp and how a run of events is read; a search reads
    O(log N) time stamps, so files much larger than the memory will do.

    Args:
        path: The file.
        height: Rows of the sensor.
        width: Columns.
        stream: Name of the camera, in a file of several.
    """

    def __init__(self, path: str, height: int, width: int, stream: str = '') -> None:
        self.path, self.height, self.width, self.stream = str(path), int(height), int(width), stream
        self.sized = True

    def __len__(self) -> int:
        raise NotImplementedError

    def time_at(self, number: int) -> int:
        """Time of one event in us."""
        raise NotImplementedError

    def _read(self, first: int, last: int) -> np.ndarray:
        """Events ``first`` to ``last - 1``, both within the file."""
        raise NotImplementedError

    def index(self, time: int) -> int:
        """How many events come before a time: the number of the first that does not."""
        return bisect_left(range(len(self)), time, key=self.time_at)

    def between(self, start: int, stop: int) -> np.ndarray:
        """Events with ``start <= t < stop``.

        Args:
            start: us.
            stop: us.

        Returns:
            np.ndarray: ``EVENT``. **Shape** [N].
        """
        first = self.index(start)
        return self._read(first, max(first, self.index(stop)))

    def last(self, count: int, before: int | None = None) -> np.ndarray:
        """The last events before a time (default: of the file); fewer where the file has no more.

        Args:
            count: How many.
            before: us.

        Returns:
            np.ndarray: ``EVENT``. **Shape** [N], N <= count.
        """
        end = len(self) if before is None else self.index(before)
        return self._read(max(0, end - count), end)

    def __getitem__(self, numbers: slice) -> np.ndarray:
        if not isinstance(numbers, slice) or numbers.step not in (None, 1):
            raise TypeError(f'{self.path}: events are taken by file[first:last], got {numbers!r}')
        first, last, _ = numbers.indices(len(self))
        return self._read(first, max(first, last))

    def chunks(self, size: int = CHUNK) -> Iterator[np.ndarray]:
        """All events, so many at a time."""
        for first in range(0, len(self), size):
            yield self._read(first, min(first + size, len(self)))

    @property
    def start(self) -> int:
        """Time of the first event, us; 0 in an empty file."""
        return self.time_at(0) if len(self) else 0

    @property
    def stop(self) -> int:
        """First us after the last event; 0 in an empty file."""
        return self.time_at(len(self) - 1) + 1 if len(self) else 0

    def __repr__(self) -> str:
        stream = f', {self.stream}' if self.stream else ''
        return f'{type(self).__name__}({self.path}{stream}: {len(self)} events, {self.width}x{self.height})'


class ArrayEvents(EventFile):
    """Events that an array holds, in memory or mapped from a file.

    Args:
        path: The file.
        events: ``EVENT``. **Shape** [N].
        height: Rows of the sensor.
        width: Columns.
        stream: Name of the camera.
    """

    def __init__(self, path: str, events: np.ndarray, height: int, width: int, stream: str = '') -> None:
        super().__init__(path, height, width, stream)
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def time_at(self, number: int) -> int:
        return int(self.events['t'][number])

    def _read(self, first: int, last: int) -> np.ndarray:
        return np.array(self.events[first:last])


def choose_stream(path: str, names: list[str], wanted: str | None) -> str:
    """Name of the stream to read.

    Args:
        path: The file.
        names: Of all its streams; one alone may be called ``''``.
        wanted: The user's choice; not needed where there is one only.

    Raises:
        EventFileError: No streams, no such stream, or several and no choice.
    """
    if not names:
        raise EventFileError(path, 'there are no events in it')
    if wanted is None and len(names) > 1:
        raise EventFileError(path, f'it holds {len(names)} streams, say which: stream= one of {", ".join(names)}')
    if wanted is not None and wanted not in names:
        raise EventFileError(path, f'it has no stream {wanted!r}, it has '
                             f'{", ".join(filter(None, names)) or "one without a name"}')
    return names[0] if wanted is None else wanted


def extent(file: EventFile) -> tuple[int, int]:
    """Rows and columns that the events of a file need."""
    sides = [(int(events['y'].max()) + 1, int(events['x'].max()) + 1) for events in file.chunks()]
    return (max(height for height, _ in sides), max(width for _, width in sides)) if sides else (1, 1)


def check_events(file: EventFile) -> None:
    """One pass over a file: time does not run backwards, and no event lies outside of the sensor.

    Raises:
        EventFileError: Naming the event.
    """
    number, time = 0, None
    for events in file.chunks():
        step = first_step_back(events['t'])
        if time is not None and events['t'][0] < time:
            raise EventFileError(file.path, _backwards(number, time, int(events['t'][0])))
        if step is not None:
            raise EventFileError(file.path, _backwards(number + step, *events['t'][step - 1:step + 1].tolist()))
        if (wrong := outside(events, file.height, file.width)).any():
            k = int(wrong.argmax())
            raise EventFileError(file.path, (
                f'event {number + k} lies at column {events["x"][k]}, row {events["y"][k]}, outside of the '
                f'{file.width}x{file.height} sensor; give its size as size=(height, width), or leave such events out '
                'with drop_outside=True'))
        number, time = number + len(events), int(events['t'][-1])


def _backwards(number: int, before: int, after: int) -> str:
    return f'{describe_step_back(number, before, after)}. Open it with sort=True, or convert it again'
