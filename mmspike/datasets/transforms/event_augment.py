"""Augmentation of events with poses; what moves pixels moves keypoints and projection along."""
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS
from mmspike.structures import load_skeleton

from ..events import EVENT

DENSE = ('bins', 'frames')  # [..., H, W]


@TRANSFORMS.register_module()
class CropEvents(BaseTransform):
    """Cut a picture out of the sensor, at a random place where ``jitter`` says so.

    Takes whatever of ``events``, ``bins`` and ``frames`` is there. After ``EventsToFrames`` a count is one of the whole
    sensor, as published; before it, of the picture. Beyond the sensor there are no events, so with the size of the
    sensor and a jitter this is a random shift. Keypoints that leave the picture are no longer visible; ``projection``
    maps to the new pixels.

    Args:
        size: Height and width of the picture. Default: those of the sensor.
        origin: Column and row of the sensor where it begins.
        jitter: Pixels to the left, right, top and bottom that the origin moves at most, each equally likely.
    """

    def __init__(self, size: tuple[int, int] | None = None, origin: tuple[int, int] = (0, 0), jitter: int = 0) -> None:
        self.size, self.origin, self.jitter = size, tuple(origin), jitter

    def transform(self, results: dict) -> dict:
        height, width = self.size or results['image_shape']
        shift = np.random.randint(-self.jitter, self.jitter + 1, 2) if self.jitter else np.zeros(2, int)
        column, row = (int(value) for value in self.origin + shift)
        if 'events' in results:
            results['events'] = _cut_events(results['events'], column, row, height, width)
        for name in DENSE:
            if name in results:
                results[name] = _cut(results[name], column, row, height, width)
        move_pose(results, np.array([[1, 0, -column], [0, 1, -row], [0, 0, 1]], np.float64), (height, width))
        return results

    def __repr__(self) -> str:
        return f'CropEvents(size={self.size}, origin={self.origin}, jitter={self.jitter})'


@TRANSFORMS.register_module()
class FlipEvents(BaseTransform):
    """Mirror left and right, and let the joints of both sides change places, now and then.

    Takes whatever of ``events``, ``bins`` and ``frames`` is there. ``keypoints_3d`` change places too, and
    ``projection`` becomes that of the mirrored camera, so that one still maps to the other; several views of one moment
    must be flipped all or none to be triangulated.

    Args:
        prob: How often.
        skeleton: Name of the skeleton, which knows the sides.
    """

    def __init__(self, prob: float = 0.5, skeleton: str = 'dhp19') -> None:
        self.prob, self.skeleton = prob, skeleton
        self.partners = list(load_skeleton(skeleton).flip)

    def transform(self, results: dict) -> dict:
        if np.random.random() >= self.prob:
            return results
        width = results['image_shape'][1]
        if 'events' in results:
            results['events'] = results['events'].copy()
            results['events']['x'] = width - 1 - results['events']['x']
        for name in DENSE:
            if name in results:
                results[name] = np.ascontiguousarray(results[name][..., ::-1])
        for name in ('keypoints', 'keypoints_visible', 'keypoints_3d'):
            if results.get(name) is not None:
                results[name] = results[name][:, self.partners]
        move_pose(results, np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]], np.float64), results['image_shape'])
        return results

    def __repr__(self) -> str:
        return f'FlipEvents(prob={self.prob}, skeleton={self.skeleton!r})'


class EventAugmentation(BaseTransform):
    """Base of those that change the events alone, and must come before bins and frames are made of them."""

    def transform(self, results: dict) -> dict:
        made = [name for name in DENSE if name in results]
        if made:
            raise ValueError(f'{type(self).__name__}: {" and ".join(made)} are made already, and would not change; put '
                             'it before EventsToBins and EventsToFrames')
        results['events'] = self.change(results['events'], results['image_shape'])
        return results

    def change(self, events: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Other events, in order of time."""
        raise NotImplementedError


@TRANSFORMS.register_module()
class FlipPolarity(EventAugmentation):
    """Swap brighter and darker, now and then: the scene in negative.

    Args:
        prob: How often.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def change(self, events: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        if np.random.random() < self.prob:
            events = events.copy()
            events['p'] ^= 1
        return events

    def __repr__(self) -> str:
        return f'FlipPolarity(prob={self.prob})'


@TRANSFORMS.register_module()
class DropEvents(EventAugmentation):
    """Leave out a random share of the events, each by itself.

    Args:
        share: Least and greatest share, drawn anew for each sample.
    """

    def __init__(self, share: Sequence[float] = (0, 0.3)) -> None:
        self.share = tuple(share)
        if len(self.share) != 2 or not 0 <= self.share[0] <= self.share[1] <= 1:
            raise ValueError(f'DropEvents: share is {share}, expected least and greatest between 0 and 1')

    def change(self, events: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        return events[np.random.random(len(events)) >= np.random.uniform(*self.share)]

    def __repr__(self) -> str:
        return f'DropEvents(share={self.share})'


@TRANSFORMS.register_module()
class AddNoiseEvents(EventAugmentation):
    """Add events at random pixels, times and polarities, as the background activity of a sensor is.

    They spread over the time from the first event to the last.

    Args:
        rate: Hz per pixel.
    """

    def __init__(self, rate: float = 0.1) -> None:
        self.rate = rate

    def change(self, events: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        if not len(events):
            return events
        (height, width), (start, stop) = shape, events['t'][[0, -1]]
        noise = np.empty(np.random.poisson(self.rate * height * width * (stop - start) * 1e-6), EVENT)
        for name, low, high in (('t', start, stop + 1), ('x', 0, width), ('y', 0, height), ('p', 0, 2)):
            noise[name] = np.random.randint(low, high, len(noise))
        both = np.concatenate([events, noise])
        return both[np.argsort(both['t'], kind='stable')]

    def __repr__(self) -> str:
        return f'AddNoiseEvents(rate={self.rate})'


def move_pose(results: dict, matrix: np.ndarray, shape: tuple[int, int]) -> None:
    """Move keypoints, and what is seen of them, and the projection from old pixels to new ones.

    Args:
        results: ``keypoints``, ``keypoints_visible`` and ``projection``, each where it is there, and ``image_shape``.
        matrix: Homogeneous. **Shape** [3, 3].
        shape: Height and width of the new picture.
    """
    height, width = results['image_shape'] = shape
    if results.get('keypoints') is not None:
        keypoints = results['keypoints'] @ matrix[:2, :2].T + matrix[:2, 2]
        with np.errstate(invalid='ignore'):
            inside = ((np.round(keypoints) >= 0) & (np.round(keypoints) < (width, height))).all(-1)
        results['keypoints'] = keypoints
        if results.get('keypoints_visible') is not None:
            results['keypoints_visible'] = results['keypoints_visible'] & inside
    if results.get('projection') is not None:
        results['projection'] = matrix @ results['projection']


def _cut_events(events: np.ndarray, column: int, row: int, height: int, width: int) -> np.ndarray:
    x, y = events['x'].astype(np.int64) - column, events['y'].astype(np.int64) - row
    kept = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    cut = events[kept]
    cut['x'], cut['y'] = x[kept], y[kept]
    return cut


def _cut(stack: np.ndarray, column: int, row: int, height: int, width: int) -> np.ndarray:
    """Part of the last two axes; zeros beyond them."""
    cut = np.zeros((*stack.shape[:-2], height, width), stack.dtype)
    top, left = max(0, row), max(0, column)
    part = stack[..., top:max(top, row + height), left:max(left, column + width)]
    cut[..., top - row:top - row + part.shape[-2], left - column:left - column + part.shape[-1]] = part
    return cut
