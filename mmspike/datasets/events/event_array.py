"""Events in memory: one structured array, in order of time."""
import numpy as np

EVENT = np.dtype([('t', '<i8'), ('x', '<u2'), ('y', '<u2'), ('p', 'u1')])
"""Microseconds; column and row from 0; polarity 1 (brighter) or 0 (darker)."""


class EventFileError(RuntimeError):
    """An event file that cannot be read, or not as it is.

    Args:
        path: The file.
        why: What is wrong with it, where, and what to do.
    """

    def __init__(self, path: str, why: str = '') -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f'cannot read events of {self.path}: {self.why}' if self.why else str(self.path)


def make_events(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Columns to an array of events; polarity is what is above 0, so that -1 and 1 will do.

    Args:
        t: us. **Shape** [N], as the others.
        x: Column from 0.
        y: Row from 0.
        p: Polarity.

    Returns:
        np.ndarray: ``EVENT``. **Shape** [N].
    """
    events = np.empty(len(t), EVENT)
    events['t'], events['x'], events['y'], events['p'] = t, x, y, np.asarray(p) > 0
    return events


def first_step_back(t: np.ndarray) -> int | None:
    """Number of the first event that is earlier than the one before it."""
    back = t[1:] < t[:-1]
    return int(back.argmax()) + 1 if back.any() else None


def outside(events: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which events lie outside of a sensor. bool, **Shape** [N]."""
    return (events['x'] >= width) | (events['y'] >= height)


def require_order(t: np.ndarray, where: str) -> None:
    """Refuse events that are not in order of time.

    Args:
        t: Their times. **Shape** [N].
        where: Who refuses, for the message.

    Raises:
        ValueError: An event is earlier than the one before it; the message names the first.
    """
    k = first_step_back(t)
    if k is not None:
        raise ValueError(f'{where}: {describe_step_back(k, *t[k - 1:k + 1])}; sort them: '
                         "events[np.argsort(events['t'], kind='stable')]")


def describe_step_back(number: int, before: int, after: int) -> str:
    """Where time runs backwards."""
    return f'time goes back at event {number}, from {before} us to {after} us; expected events in order of time'


def require_inside(events: np.ndarray, height: int, width: int, where: str) -> None:
    """Refuse events that lie outside of a sensor.

    Args:
        events: ``EVENT``. **Shape** [N].
        height: Rows.
        width: Columns.
        where: Who refuses, for the message.

    Raises:
        ValueError: An event lies outside; the message names the first and how many there are.
    """
    if len(events) and (events['x'].max() >= width or events['y'].max() >= height):
        wrong = outside(events, height, width)
        k = int(wrong.argmax())
        raise ValueError(f'{where}: event {k} lies at column {events["x"][k]}, row {events["y"][k]} (and '
                         f'{int(wrong.sum()) - 1} more), outside of {width} columns and {height} rows; leave them out: '
                         'events[~outside(events, height, width)], or give the size of the sensor')


def unwrapped(t: np.ndarray, period: int) -> np.ndarray:
    """Time stamps of a counter that starts again at 0 after ``period``: a step back by more than half of it.

    Args:
        t: **Shape** [N].
        period: For instance ``2 ** 32``.

    Returns:
        np.ndarray: int64. **Shape** [N].
    """
    t = t.astype(np.int64)
    restarts = t[1:] - t[:-1] < -(period // 2)
    if restarts.any():
        t[1:] += period * np.cumsum(restarts)
    return t
