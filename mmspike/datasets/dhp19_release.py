"""DHP19 as it is released: what belongs to a recording, which of its events are kept, and its poses.

Source: the programs of the `data set <https://github.com/SensorsINI/DHP19>`_, and Calabrese et al., "DHP19: Dynamic
Vision Sensor 3D Human Pose Dataset" (2019).
"""
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmspike.structures import load_skeleton

from .attributes.matfile import load_mat
from .events import EventFileError
from .events.aedat2 import HEIGHT, WIDTH, Aedat2
from .events.event_array import describe_step_back, first_step_back
from .events.filters import hot_pixels, supported

CAMERAS = 4
LABEL = 10_000  # us between poses
HOT, WINDOW = 10_000, 70_000  # events of a hot pixel; us in which a neighbour must have fired
MAX_SPECIAL = 5
# Lamps of the motion capture: columns and rows from 1 of all cameras side by side, limits excluded
MASKS = (((780, 810), (115, 145)), ((1252, 1259), (136, 144)))


@dataclass
class Cleaned:
    """The events of a recording that are kept.

    Args:
        events: Per camera, ``EVENT``; times from the start of the recording, columns and rows from 0.
        counts: How many there were, and how many each rule left out.
    """

    events: dict[int, np.ndarray]
    counts: dict[str, int] = field(default_factory=dict)


def synchronise(special: np.ndarray, first: int, last: int, num_poses: int) -> tuple[int, int, str]:
    """When a recording starts and stops.

    Args:
        special: Times of the special events, us. **Shape** [S].
        first: Time of the first event, us.
        last: Time of the last event.
        num_poses: Poses of the recording, which come every 10 ms.

    Returns:
        Start, stop, and the rule that gave them.

    Raises:
        ValueError: More special events than a recording has: it is corrupt.
    """
    duration = num_poses * LABEL
    if len(special) > MAX_SPECIAL:
        raise ValueError(f'{len(special)} special events, expected at most {MAX_SPECIAL}: the recording is corrupt')
    if not len(special):
        return first, last, 'no special event: first and last event'
    mark = int(special[0])
    if len(special) in (3, 5):
        return mark, int(special[-1]), 'special events: first and last'
    if mark - first > last - mark:
        return mark - duration, mark, 'one special event, which is the stop'
    return mark, mark + duration, 'one special event, which is the start'


def clean(recording: Aedat2, start: int, stop: int, own_pixel: bool = False) -> Cleaned:
    """Cut a recording, and leave out hot pixels, background activity and lamps, in the order of the release.

    The four cameras are one canvas of 1384 columns for all three rules.

    Args:
        recording: As read.
        start: us.
        stop: us.
        own_pixel: For the background, an earlier event of the pixel itself counts as that of a neighbour.

    Raises:
        ValueError: Time runs backwards.
    """
    events, camera = recording.events, recording.camera
    step = first_step_back(events['t'])
    if step is not None:
        raise ValueError(describe_step_back(step, *events['t'][step - 1:step + 1].tolist()))
    counts = dict(events=len(events) + recording.outside, outside=recording.outside)
    known = camera < CAMERAS
    counts['unknown camera'] = int((~known).sum())
    cut = known & (events['t'] >= start) & (events['t'] < stop)
    counts['before start or after stop'] = int((known & ~cut).sum())
    canvas, width = events[cut], CAMERAS * WIDTH
    canvas['x'] += camera[cut] * np.uint16(WIDTH)
    rules = {'hot pixels': lambda one: ~hot_pixels(one, HEIGHT, width, HOT),
             'background': lambda one: supported(one, HEIGHT, width, WINDOW, own_pixel),
             'lamps': lambda one: ~_lamps(one)}
    for name, keep in rules.items():
        kept = canvas[keep(canvas)]
        counts[name] = len(canvas) - len(kept)
        canvas = kept
    canvas['t'] -= start
    number, column = np.divmod(canvas['x'], WIDTH)
    canvas['x'] = column
    counts['kept'] = len(canvas)
    return Cleaned({k: canvas[number == k] for k in range(CAMERAS)}, counts)


def read_poses(path: Path) -> np.ndarray:
    """The poses of a recording.

    Returns:
        np.ndarray: float64 mm, NaN where a joint was not seen. **Shape** [N, 13, 3].

    Raises:
        AnnotationError: The file cannot be read.
        EventFileError: A joint is missing, or has another shape.
    """
    content, joints = load_mat(path, 'XYZPOS')['XYZPOS'], load_skeleton('dhp19').joints
    missing = [name for name in joints if not isinstance(content, dict) or name not in content]
    if missing:
        raise EventFileError(str(path), f'XYZPOS has no field {", ".join(missing)}; expected one for each of '
                             f'{", ".join(joints)}')
    tracks = {name: np.asarray(content[name], np.float64) for name in joints}
    tracks = {name: track[None] if track.shape == (3,) else track for name, track in tracks.items()}  # a single pose
    shapes = {track.shape for track in tracks.values()}
    if len(shapes) > 1 or tracks[joints[0]].ndim != 2 or tracks[joints[0]].shape[1] != 3:
        raise EventFileError(str(path), f'its joints have the shapes {sorted(map(list, shapes))}, expected [N, 3] for '
                             'all, with the same number of poses N')
    return np.stack([tracks[name] for name in joints], 1)  # [N, 13, 3]


def _lamps(canvas: np.ndarray) -> np.ndarray:
    x, y = canvas['x'].astype(np.int64) + 1, canvas['y'].astype(np.int64) + 1
    lit = np.zeros(len(canvas), bool)
    for (left, right), (top, bottom) in MASKS:
        lit |= (x > left) & (x < right) & (y > top) & (y < bottom)
    return lit
