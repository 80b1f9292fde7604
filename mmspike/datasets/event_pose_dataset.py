"""Windows of event recordings with poses; the base of the datasets of this task."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmspike.structures import load_skeleton

from .events import EventFileError, open_events
from .file_dataset import FileDataset
from .open_files import OpenFiles

TARGETS = ('bins', 'frames')


@dataclass(frozen=True)
class Recording:
    """What one camera saw of one movement.

    Args:
        file: With the events.
        camera: Its number.
        sequence: Name of the movement, the same for all cameras.
        label_file: With the poses.
        stream: Name of the camera within the file, as :func:`~mmspike.datasets.events.open_events` has it.
        stop: End of what has both events and poses, in microseconds.
    """

    file: str
    camera: int
    sequence: str
    label_file: str
    stream: str
    stop: int


class EventPoseDataset(FileDataset):
    """Windows of equally long bins, each with the pose of its bins.

    A window begins at a multiple of ``step_ms`` that has enough events before it, and ends within the recording. The
    sample has ``file``, ``camera``, ``sequence``, ``event_file`` (opened when first asked for, and kept), ``start``,
    ``stop`` and ``bin_us`` (microseconds), ``image_shape`` (of the sensor), ``keypoints`` [T, K, 2] in pixels of the
    sensor, ``keypoints_visible`` [T, K], and where cameras are calibrated ``keypoints_3d`` [T, K, 3] in mm and
    ``projection`` [3, 4] to the pixels of ``keypoints``.

    The label of a bin is the pose ``label_lag_ms`` before its end. A bin that no recorded pose is near to, by less than
    half a bin, has no visible joint: no label is made up. A joint that was not seen, or lies outside the sensor, is not
    visible either.

    A subclass finds the recordings (:meth:`find_recordings`) and reads their poses (:meth:`read_labels`).

    Args:
        data_root: Folder of the data set.
        subjects: Numbers of the persons to take.
        cameras: Numbers of the cameras to take.
        window_ms: Length of a window.
        bin_ms: Length of a bin, of which a window has a whole number.
        step_ms: From one window to the next; by default ``window_ms``, so that they do not overlap.
        random_start_ms: Each time that a window is taken, its start moves by a random multiple of this, less than
            ``step_ms``. For training: an epoch is short, and any moment occurs in some epoch.
        history: What must lie before a window, for a CNN that looks back: ``dict(count=7500)`` events, or
            ``dict(ms=100)``, or ``None``.
        target: ``'bins'``, the poses of the window's bins; or ``'frames'``, one pose, of what comes before the window:
            the label of a CNN alone.
        label_lag_ms: As above.
        legacy: Published windows and labels, see the subclass.
        **kwargs: Of ``FileDataset`` (``pipeline``, ``seed``, ``test_mode``, ...).

    Raises:
        ValueError: Lengths that do not fit one another, or a history that is none of the above.
        FileNotFoundError: No recording of these subjects and cameras, or none long enough for a window.
    """

    KIND, PREFIX, PATH, READ_ERROR = 'event recording', 'events', 'file', EventFileError
    LOOKS_WRONG = 'see docs/datasets.md for the layout'
    METAINFO = dict(skeleton='dhp19', joints=load_skeleton('dhp19').joints)

    def __init__(self, data_root: str, subjects: Sequence[int], cameras: Sequence[int], window_ms: float = 100,
                 bin_ms: float = 10, step_ms: float | None = None, random_start_ms: float = 0,
                 history: Mapping | None = None, target: str = 'bins', label_lag_ms: float = 0, legacy: bool = False,
                 **kwargs) -> None:
        name = type(self).__name__
        step_ms = window_ms if step_ms is None else step_ms
        self.window, self.bin_us, self.step, self.random_start, self.label_lag = (
            round(1000 * ms) for ms in (window_ms, bin_ms, step_ms, random_start_ms, label_lag_ms))
        if min(self.window, self.bin_us, self.step) <= 0 or self.window % self.bin_us:
            raise ValueError(f'{name}: window_ms={window_ms}, bin_ms={bin_ms}, step_ms={step_ms}; expected positive '
                             'lengths, and a whole number of bins in a window, such as 100, 10 and 100')
        if self.random_start < 0 or (self.random_start and self.step % self.random_start):
            raise ValueError(f'{name}: random_start_ms={random_start_ms} and step_ms={step_ms}; expected 0, or a part '
                             'of the step, such as 10 and 100')
        history = dict(history or {})
        if not set(history) <= {'count', 'ms'} or len(history) > 1:
            raise ValueError(f'{name}: history is {history}, expected dict(count=events), dict(ms=milliseconds) or '
                             'None')
        if target not in TARGETS:
            raise ValueError(f"{name}: target is {target!r}, expected 'bins' (poses of the window's bins) or 'frames' "
                             '(the pose before the window)')
        self.subjects, self.cameras, self.history = tuple(subjects), tuple(cameras), history
        self.target, self.legacy = target, legacy
        self._events = OpenFiles(self._open)
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def find_recordings(self) -> list[Recording]:
        """The recordings of ``self.subjects`` and ``self.cameras``, in a fixed order."""
        raise NotImplementedError

    def read_labels(self, info: dict, moments: np.ndarray) -> dict:
        """Poses at ``moments`` (microseconds) as ``keypoints``, ``keypoints_visible`` and what else is known."""
        raise NotImplementedError

    def load_data_list(self) -> list[dict]:
        """One entry per window."""
        self.ann_file = self.folder or self.data_root  # for messages: there is no list file
        recordings = self.find_recordings()
        if not recordings:
            raise FileNotFoundError(f'{type(self).__name__}: {self.ann_file} has no recording of the subjects '
                                    f'{list(self.subjects)} by the cameras {list(self.cameras)}. Check data_root; '
                                    f'{self.LOOKS_WRONG}')
        windows = []
        for recording in recordings:
            entry = {key: value for key, value in vars(recording).items() if key != 'stop'}
            windows += [dict(entry, start=start, stop=start + self.window) for start in self._starts(recording)]
        if not windows:
            raise FileNotFoundError(f'{type(self).__name__}: none of the {len(recordings)} recordings in '
                                    f'{self.ann_file} is long enough for a window of {self.window / 1000} ms after '
                                    f'the history {self.history or "(none)"}; shorten them')
        return windows

    def get_data_info(self, idx: int) -> dict:
        """The entry of a window, with its poses and its opened file."""
        info = super().get_data_info(idx)
        if self.random_start:  # numpy's generator is seeded for each sample
            delay = int(np.random.randint(self.step // self.random_start)) * self.random_start
            info['start'], info['stop'] = info['start'] + delay, info['stop'] + delay
        info['event_file'] = events = self._events.get(info['file'], info['stream'])
        info['bin_us'], info['image_shape'] = self.bin_us, (events.height, events.width)
        if self.target == 'frames':
            ends = np.array([info['start']])
        else:
            ends = np.arange(info['start'] + self.bin_us, info['stop'] + 1, self.bin_us)
        return info | self.read_labels(info, ends - self.label_lag)

    def load_unreadable(self, idx: int, error: Exception) -> dict:
        """No pose can stand for a recording that cannot be read: the test ends."""
        raise error

    def _starts(self, recording: Recording) -> range:
        first = round(1000 * self.history.get('ms', 0))
        if count := self.history.get('count', 0):
            events = self._events.get(recording.file, recording.stream)
            first = events.time_at(count) if len(events) > count else recording.stop
        if self.legacy and 'ms' in self.history:
            first = 0  # the CNN is given an empty frame where nothing lies before it
        first = -(-first // self.step) * self.step
        last = recording.stop - self.window
        if self.random_start:
            last -= self.step - self.random_start
        if self.legacy and 'count' in self.history:
            last = recording.stop - 2 * self.step
        return range(first, last + 1, self.step)

    @staticmethod
    def _open(file: str, stream: str):
        return open_events(file, stream)
