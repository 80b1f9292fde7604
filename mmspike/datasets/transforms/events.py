"""From an opened event file to the dense inputs of a pose model."""
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS
from mmspike.structures import PoseDataSample

from ..events import (
    EventFileError,
    event_counts,
    open_events,
    polarity_channels,
    stacked_histogram,
    three_sigma_image,
    voxel_grid,
)

WINDOWS, COUNTS = ('counts', 'histogram', 'voxels'), ('bins', 'image')
META_KEYS = ('sequence', 'camera', 'bin_us', 'image_shape', 'projection', 'sample_idx')


@TRANSFORMS.register_module()
class LoadEvents(BaseTransform):
    """Read the events of a window, and those before it that a CNN looks back at.

    Required: ``start`` and ``stop`` (us), and the opened ``event_file``; or ``file``, and ``stream`` where it holds
    several cameras. Added: ``events`` (``EVENT`` in order of time, **Shape** [N]), ``image_shape`` (of the sensor).

    Args:
        count: So many events before ``start``.
        duration: So many us before ``start``. The longer of the two is read.
        legacy: As published, leave out the last event of a recording in the window that ends with it.

    Raises:
        EventFileError: The file cannot be read.
    """

    def __init__(self, count: int = 0, duration: int = 0, legacy: bool = False) -> None:
        self.count, self.duration, self.legacy = count, duration, legacy

    def transform(self, results: dict) -> dict:
        file = results.get('event_file')
        if file is None:
            file = open_events(results['file'], results.get('stream'))
        start, last = file.index(results['start']), file.index(results['stop'])
        if self.legacy and last == len(file):
            last = max(start, last - 1)
        first = max(0, start - self.count)
        if self.duration:
            first = min(first, file.index(results['start'] - self.duration))
        results['events'] = file[first:last]
        results['image_shape'] = file.height, file.width
        return results

    def __repr__(self) -> str:
        return f'LoadEvents(count={self.count}, duration={self.duration}, legacy={self.legacy})'


@TRANSFORMS.register_module()
class EventsToBins(BaseTransform):
    """Make the bins of a window: what a spiking or recurrent network is given step by step.

    Required: ``events``, ``image_shape``, ``start``, ``stop`` and ``bin_us``. Added: ``bins`` (float32, **Shape**
    [T, 2, H, W]; one channel for voxels).

    Args:
        kind: ``'counts'`` of events per equal part of the window; ``'histogram'``, as published: per equal part of the
            time from the window's first event to its last; ``'voxels'``: shared between the bins next to their time.

    Raises:
        EventFileError: Events out of order, or outside of the sensor.
        ValueError: A window that is no whole number of bins.
    """

    def __init__(self, kind: str = 'counts') -> None:
        if kind not in WINDOWS:
            raise ValueError(f'EventsToBins: kind is {kind!r}, expected one of {", ".join(WINDOWS)}')
        self.kind = kind

    def transform(self, results: dict) -> dict:
        start, stop, bin_us = (results[name] for name in ('start', 'stop', 'bin_us'))
        bins, rest = divmod(stop - start, bin_us)
        if rest:
            raise ValueError(f'EventsToBins: the window from {start} us to {stop} us is no whole number of bins of '
                             f'{bin_us} us')
        window, shape = _between(results['events'], start, stop), results['image_shape']
        with named_errors(results):
            if self.kind == 'counts':
                results['bins'] = event_counts(window, bins, *shape, start, stop)
            elif self.kind == 'histogram':
                results['bins'] = stacked_histogram(window, bins, *shape)
            else:
                results['bins'] = voxel_grid(window, bins, *shape, normalize=True)
        return results

    def __repr__(self) -> str:
        return f'EventsToBins(kind={self.kind!r})'


@TRANSFORMS.register_module()
class EventsToFrames(BaseTransform):
    """Make frames of what came before some moments: what a CNN is given once.

    Required: ``events``, ``image_shape``, ``start`` and ``stop``, for ``'bins'`` also ``bin_us``. Added:
    ``frames`` (**Shape** [F, C, H, W]).

    Args:
        count: So many events before the moment; fewer at the start of a recording.
        duration: Instead of a count: all events of so many us.
        bins: Parts of the time from the first of these events to the last (with ``duration``: of the duration), each
            of both polarities: C = 2 * bins, first all bins of polarity 0.
        kind: ``'bins'``; or ``'image'``, the grey values of the original CNN of DHP19, C = 1.
        at: Moments: ``('start',)``; ``('start', 'stop')`` for a loss between states at both ends of a window; or
            ``('bins',)``, the end of every bin, for a CNN at the full rate.
        legacy: With ``duration``, as published: parts of the time from the first event to the last.

    Raises:
        EventFileError: Events out of order, or outside of the sensor.
    """

    def __init__(self, count: int | None = None, duration: int | None = None, bins: int = 10, kind: str = 'bins',
                 at: tuple[str, ...] = ('start',), legacy: bool = False) -> None:
        if (count is None) == (duration is None) or (duration if count is None else count) <= 0:
            raise ValueError(f'EventsToFrames: count={count} and duration={duration}, expected one of both, positive, '
                             'for instance count=7500')
        if kind not in COUNTS or not at or not set(at) <= {'start', 'stop', 'bins'}:
            raise ValueError(f"EventsToFrames: kind={kind!r} and at={at!r}, expected kind 'bins' or 'image', and at of "
                             "'start', 'stop' and 'bins'")
        self.count, self.duration, self.bins, self.kind, self.at, self.legacy = count, duration, bins, kind, at, legacy

    def transform(self, results: dict) -> dict:
        with named_errors(results):
            frames = [self._frame(results['events'], moment, results['image_shape'])
                      for name in self.at for moment in _moments(results, name)]
        results['frames'] = np.stack(frames)  # [F, C, H, W]
        return results

    def _frame(self, events: np.ndarray, moment: int, shape: tuple[int, int]) -> np.ndarray:
        if self.count is not None:
            events = events[:np.searchsorted(events['t'], moment)][-self.count:]
        else:
            events = _between(events, moment - self.duration, moment)
        if self.kind == 'image':
            return three_sigma_image(events, *shape)[None]  # [1, H, W]
        if self.count is not None or self.legacy:
            return polarity_channels(stacked_histogram(events, self.bins, *shape))  # [2 * bins, H, W]
        return polarity_channels(event_counts(events, self.bins, *shape, moment - self.duration, moment))

    def __repr__(self) -> str:
        return (f'EventsToFrames(count={self.count}, duration={self.duration}, bins={self.bins}, kind={self.kind!r}, '
                f'at={self.at}, legacy={self.legacy})')


@TRANSFORMS.register_module()
class PackPose(BaseTransform):
    """Pack inputs and poses. Whole counts up to 255 travel as bytes, a quarter of the size of float32.

    Required: ``bins``, ``frames`` or both. Optional: ``keypoints`` [T, K, 2], ``keypoints_visible`` [T, K],
    ``keypoints_3d`` [T, K, 3], ``start`` and the facts in ``META_KEYS``.
    Returns: ``inputs`` (a dict of tensors) and ``data_samples`` (``PoseDataSample``).

    Raises:
        ValueError: Neither bins nor frames.
    """

    def transform(self, results: dict) -> dict:
        inputs = {name: torch.from_numpy(as_bytes(results[name])) for name in ('bins', 'frames') if name in results}
        if not inputs:
            raise ValueError('PackPose: there are neither bins nor frames; put EventsToBins or EventsToFrames before '
                             'it')
        sample = PoseDataSample()
        for name, field, dtype in (('keypoints', 'gt_keypoints', np.float32), ('keypoints_visible', 'gt_visible', bool),
                                   ('keypoints_3d', 'gt_keypoints_3d', np.float32)):
            if results.get(name) is not None:
                sample.set_field(torch.from_numpy(np.ascontiguousarray(results[name], dtype)), field)
        facts = {key: results[key] for key in META_KEYS if key in results}
        sample.set_metainfo(dict(facts, start_us=results['start']) if 'start' in results else facts)
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return 'PackPose()'


@contextmanager
def named_errors(results: dict) -> Iterator[None]:
    """Say of which file the events were that a representation refused."""
    try:
        yield
    except ValueError as error:
        raise EventFileError(str(results.get('file', 'a sample')), str(error)) from None


def as_bytes(counts: np.ndarray) -> np.ndarray:
    """uint8 where that loses nothing; otherwise the array."""
    if counts.dtype == np.uint8 or counts.size and (counts.min() < 0 or counts.max() > 255):
        return np.ascontiguousarray(counts)
    small = counts.astype(np.uint8)
    return small if (small == counts).all() else np.ascontiguousarray(counts)


def _moments(results: dict, name: str) -> range | tuple[int]:
    if name == 'bins':
        return range(results['start'] + results['bin_us'], results['stop'] + 1, results['bin_us'])
    return results[name],


def _between(events: np.ndarray, start: int, stop: int) -> np.ndarray:
    first, last = np.searchsorted(events['t'], (start, stop))
    return events[first:last]
