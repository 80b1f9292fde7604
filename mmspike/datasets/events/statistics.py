"""Figures of an event file, from one pass in pieces."""
from collections import Counter
from dataclasses import dataclass

import numpy as np

from .event_array import outside
from .event_file import EventFile

SHOWN, MIN_HOT = 3, 100
PART = 10_000  # us over which the highest rate is sought


@dataclass
class Statistics:
    """What :func:`describe` finds.

    Args:
        height: Rows of the sensor.
        width: Columns.
        sized: Whether the file or the user gave the size.
        events: Number of events.
        start: Earliest time, us.
        stop: Latest time, us.
        positive: Share of events with polarity 1.
        peak_rate: Highest rate in 10 ms, events per second.
        active: Share of the pixels with events.
        hot: Number of hot pixels.
        hottest: Column, row and events of the pixels with the most of them.
        steps_back: How often time goes back.
        first_step_back: Number of the first event that is earlier than the one before it.
        outside: Events outside of the sensor.
    """

    height: int
    width: int
    sized: bool
    events: int
    start: int
    stop: int
    positive: float
    peak_rate: float
    active: float
    hot: int
    hottest: list[tuple[int, int, int]]
    steps_back: int
    first_step_back: int | None
    outside: int

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        return (self.stop - self.start) * 1e-6

    @property
    def rate(self) -> float:
        """Events per second; 0 where all are of one time."""
        return self.events / self.seconds if self.seconds else 0.


def describe(file: EventFile, hot_factor: float = 50) -> Statistics:
    """Figures of a file, which may be out of order or have events outside of the sensor.

    Args:
        file: Opened, unchecked perhaps.
        hot_factor: A pixel is hot that has so many times the events of the mean pixel with events, and at least 100.
    """
    pixels, parts = np.zeros((file.height, file.width), np.int64), Counter()
    number, positive, strange, back, first_back, previous = 0, 0, 0, 0, None, None
    start = stop = int(file.time_at(0)) if len(file) else 0
    for events in file.chunks():
        t = np.ascontiguousarray(events['t'])
        steps = np.flatnonzero(np.diff(t, prepend=t[0] if previous is None else previous) < 0)
        if len(steps) and first_back is None:
            first_back = number + int(steps[0])
        wrong = outside(events, file.height, file.width)
        place = events['y'][~wrong].astype(np.int64) * file.width + events['x'][~wrong]
        pixels += np.bincount(place, minlength=pixels.size).reshape(pixels.shape)
        start, stop = min(start, int(t.min())), max(stop, int(t.max()))
        part, count = np.unique(t // PART, return_counts=True)
        parts.update(dict(zip(part.tolist(), count.tolist(), strict=True)))
        number, previous = number + len(t), int(t[-1])
        positive, strange, back = positive + int((events['p'] > 0).sum()), strange + int(wrong.sum()), back + len(steps)
    fired = pixels > 0
    limit = max(MIN_HOT, hot_factor * pixels[fired].mean()) if fired.any() else MIN_HOT
    order = np.argsort(pixels, axis=None)[::-1][:SHOWN]
    hottest = [(int(k % file.width), int(k // file.width), int(pixels.flat[k])) for k in order if pixels.flat[k]]
    return Statistics(file.height, file.width, file.sized, number, start, stop, positive / max(1, number),
                      max(parts.values(), default=0) / (PART * 1e-6), float(fired.mean()), int((pixels >= limit).sum()),
                      hottest, back, first_back, strange)
