"""Simulated events, images and 2-D poses in the layout of Event-Human3.6m."""
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from mmspike.registry import DATASETS

from .event_h36m_release import CAMERA_CODES, INTERVAL, SIZE, action_of
from .event_pose_dataset import EventPoseDataset, Recording
from .events import EventFile, EventFileError, open_events
from .open_files import OpenFiles
from .pose_labels import PoseLabels

# Subject and action whose events or labels are damaged in the release
UNUSABLE = {(11, 'Directions'), (9, 'Greeting'), (9, 'SittingDown 1'), (9, 'Waiting 1')}
MS = 1000
IMAGES = ('rgb', 'grey')


@DATASETS.register_module()
class EventH36MDataset(EventPoseDataset):
    """Event-Human3.6m: 320x256, poses every 20 ms, without projections.

    ``<data_root>/S{subject}/upsample/{Action}.{camera code}/events.h5`` with ``events/{t,x,y,p}`` (ns, from 0) and
    ``ms_to_idx``, ``imgs/*.png`` and ``timestamps.txt`` (s) beside it, and ``<data_root>/labels.h5`` with
    ``S{subject}/{Action}/cam_view_{c}`` [N, 2, 13] and ``timestamps_ms``.

    With ``images`` a sample has ``frame_files`` too, for ``LoadFrameImages``: the images of the moments ``start`` and
    ``stop``, where there are any. RGB images are those of the video, one every 20 ms, under
    ``<image_root>/S{subject}/Videos/{Action}.{camera code}/imgs``; grey ones lie beside the events and have their own
    times.

    **Differs** from the published loader: windows are counted in steps, so that all of a recording is visited; a joint
    outside the picture, or not a number, is not visible; recordings that the release lists as damaged are left out.

    Args:
        data_root: As in the base, which has the other arguments too.
        subjects: Published for training 1, 5, 6, 7 and 8, for testing 9 and 11.
        cameras: 0 to 3.
        images: ``'rgb'``, ``'grey'``, or ``None`` for a CNN that sees events (then give ``history``).
        image_root: Folder of the videos' images, from ``data_root``.
        history: As in the base; published is ``dict(count=7500)`` without images.
        legacy: Keypoints are rounded to whole pixels, as published.
        **kwargs: Of ``EventPoseDataset``.

    Raises:
        ValueError: Another camera or kind of images.
        FileNotFoundError: No labels, or, when a window is taken, a folder without images.
    """

    LOOKS_WRONG = 'see docs/datasets.md for the layout of Event-Human3.6m'

    def __init__(self, data_root: str, subjects: Sequence[int], cameras: Sequence[int] = (0, 1, 2, 3),
                 images: str | None = None, image_root: str = '', history: Mapping | None = None, legacy: bool = False,
                 **kwargs) -> None:
        unknown = sorted(set(cameras) - set(CAMERA_CODES.values()))
        if unknown:
            raise ValueError(f'EventH36MDataset: there is no camera {unknown[0]}; the cameras are 0, 1, 2 and 3')
        if images not in (None, *IMAGES):
            raise ValueError(f"EventH36MDataset: images is {images!r}, expected 'rgb', 'grey' or None")
        self.images, self.image_root = images, image_root
        self._labels = OpenFiles(_open_labels)
        self._frames = OpenFiles(self._list_frames, limit=4096)
        super().__init__(data_root, subjects, cameras, history=history, legacy=legacy, **kwargs)

    def find_recordings(self) -> list[Recording]:
        """Every camera of every action of the subjects."""
        root = Path(self.folder or self.data_root)
        label_file = root / 'labels.h5'
        if not label_file.is_file():
            raise FileNotFoundError(f'EventH36MDataset: {label_file}, the poses of all recordings, is missing; it is '
                                    'written by tools/dataset_converters/event_human36m.py')
        found = []
        for subject in self.subjects:
            for file in sorted(root.glob(f'S{subject}/upsample/*/events.h5')):
                action, camera = action_of(file.parent.name)
                if camera in self.cameras and (subject, action) not in UNUSABLE and 'ALL' not in action.split():
                    found.append(self._recording(file, camera, f'S{subject}/{action}', str(label_file)))
        return found

    def read_labels(self, info: dict, moments: np.ndarray) -> dict:
        """Poses, and the images that a CNN looks at."""
        labels = self._labels.get(info['label_file'], info['sequence'], info['camera'])
        keypoints = labels.near(moments, self.bin_us / 2).swapaxes(1, 2)  # [T, 2, K] -> [T, K, 2]
        height, width = info['image_shape']
        pixels = np.round(keypoints)
        with np.errstate(invalid='ignore'):
            visible = ((pixels >= 0) & (pixels < (width, height))).all(-1)
        found = dict(keypoints=pixels if self.legacy else keypoints, keypoints_visible=visible)
        if self.images is not None:
            files, times = self._frames.get(info['file'])
            numbers = {name: bisect_left(times, info[name]) for name in ('start', 'stop')}
            found['frame_files'] = {name: files[number] for name, number in numbers.items()
                                    if number < len(times) and times[number] == info[name]}
        return found

    def _recording(self, file: Path, camera: int, sequence: str, label_file: str) -> Recording:
        try:
            with h5py.File(file, 'r') as events:
                length = len(events['ms_to_idx']) * MS
        except (OSError, KeyError) as error:
            raise EventFileError(str(file), f'it cannot be read ({error}); copy or convert it again, or take it out of '
                                 'the folder') from None
        stop = min(length, self._labels.get(label_file, sequence, camera).stop)
        return Recording(str(file), camera, sequence, label_file, 'events', stop)

    def _list_frames(self, file: str) -> tuple[list[str], np.ndarray]:
        """Images of a recording in order, and their times in microseconds."""
        folder = Path(file).parent
        if self.images == 'rgb':
            root = Path(self.folder or self.data_root) / self.image_root
            images = root / folder.parents[1].name / 'Videos' / folder.name / 'imgs'
        else:
            images = folder / 'imgs'
        files = sorted(str(image) for image in images.glob('*.png'))
        if not files:
            raise FileNotFoundError(f'EventH36MDataset: no images (*.png) in {images}; give image_root, or use '
                                    'images=None and history=dict(count=7500)')
        if self.images == 'rgb':
            return files, np.arange(len(files)) * INTERVAL * MS
        times = np.round(np.loadtxt(folder / 'timestamps.txt', ndmin=1) * 1e3).astype(np.int64) * MS
        if len(times) != len(files):
            raise EventFileError(str(folder / 'timestamps.txt'), f'it has {len(times)} times for {len(files)} images')
        return files, times

    @staticmethod
    def _open(file: str, stream: str) -> EventFile:
        return open_events(file, stream, size=SIZE)


def _open_labels(path: str, sequence: str, camera: int) -> PoseLabels:
    return PoseLabels(path, f'{sequence}/cam_view_{camera}', f'{sequence}/timestamps_ms', MS)
