"""Event recordings and poses in the HDF5 layout of DHP19."""
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from mmspike.registry import DATASETS
from mmspike.structures import picture_projection, project

from .event_pose_dataset import EventPoseDataset, Recording
from .events import EventFileError
from .open_files import OpenFiles
from .pose_labels import PoseLabels

SUFFIX = '_events.h5'
MATRICES = {1: 'P1', 3: 'P2', 2: 'P3', 0: 'P4'}  # camera -> file
UNUSABLE = ('S16_session2_mov1',)  # its time runs backwards
POSES, TIMES = 'XYZ/3d_poses', 'XYZ/timestamps'  # [N, 3, K] mm; us
MS = 1000


@DATASETS.register_module()
class DHP19Dataset(EventPoseDataset):
    """DHP19 as ``tools/dataset_converters/dhp19.py`` writes it.

    ``<data_root>/S{subject}_session{j}_mov{k}_events.h5`` with ``cam{c}_events/{t,x,y,p}`` and ``cam{c}_ms_to_idx``,
    ``..._events_label.h5`` with ``XYZ/3d_poses`` [N, 3, 13] and ``XYZ/timestamps``, and the projections
    ``P1.npy`` to ``P4.npy``. Keypoints are projections of the 3-D poses.

    **Differs** from the published loader unless ``legacy``: keypoints keep their fraction of a pixel instead of being
    cut to whole pixels; all windows that fit are taken, the published loader leaves out the last with a count of events
    as history; with a time as history windows begin where that much lies before them, the published loader gives the
    CNN an empty frame, and the first pose as its label.

    Args:
        data_root: As in the base, which has the other arguments too.
        subjects: 1 to 17; published for training 1 to 12, for testing 13 to 17.
        cameras: 0 to 3; published results are of 3 and 2.
        p_matrices: Folder of the projections, from ``data_root``.
        history: As in the base; published is ``dict(count=7500)``.
        label_lag_ms: Published labels are those of the beginning of a bin of 10 ms.
        legacy: As above.
        **kwargs: Of ``EventPoseDataset``.
    """

    def __init__(self, data_root: str, subjects: Sequence[int], cameras: Sequence[int] = (3,), p_matrices: str = '',
                 history: Mapping | None = None, label_lag_ms: float = 10, legacy: bool = False, **kwargs) -> None:
        unknown = sorted(set(cameras) - set(MATRICES))
        if unknown:
            raise ValueError(f'DHP19Dataset: there is no camera {unknown[0]}; the cameras are 0, 1, 2 and 3')
        self.p_matrices = p_matrices
        self._labels = OpenFiles(_open_labels)
        self._projections: dict[int, np.ndarray] = {}
        super().__init__(data_root, subjects, cameras, history=history, label_lag_ms=label_lag_ms, legacy=legacy,
                         **kwargs)

    def find_recordings(self) -> list[Recording]:
        """Every camera of every file of the subjects."""
        root = Path(self.folder or self.data_root)
        self._projections = {camera: self._read_projection(camera) for camera in self.cameras}
        files = {file: int(found[1]) for file in root.glob(f'S*{SUFFIX}')
                 if (found := re.match(r'S(\d+)_', file.name)) and file.name.removesuffix(SUFFIX) not in UNUSABLE}
        files = sorted((file for file, subject in files.items() if subject in self.subjects), key=_natural)
        return [self._recording(file, camera) for camera in self.cameras for file in files]

    def read_labels(self, info: dict, moments: np.ndarray) -> dict:
        """Poses, and where the camera sees them."""
        labels = self._labels.get(info['label_file'])
        if self.legacy:
            moments = moments.clip(labels.times[0])
        poses = labels.near(moments, self.bin_us / 2).swapaxes(1, 2)  # [T, 3, K] -> [T, K, 3]
        height, width = info['image_shape']
        projection = picture_projection(self._projections[info['camera']], height)
        keypoints = project(poses, projection)  # [T, K, 2]
        with np.errstate(invalid='ignore'):
            pixels = np.round(keypoints)
            visible = ((pixels >= 0) & (pixels < (width, height))).all(-1)
        return dict(keypoints=pixels if self.legacy else keypoints, keypoints_visible=visible, keypoints_3d=poses,
                    projection=projection)

    def _recording(self, file: Path, camera: int) -> Recording:
        label_file = str(file)[:-len('.h5')] + '_label.h5'
        try:
            with h5py.File(file, 'r') as events:
                length = len(events[f'cam{camera}_ms_to_idx']) * MS
        except (OSError, KeyError) as error:
            raise EventFileError(str(file), f'camera {camera} of it cannot be read ({error}); copy or convert it '
                                 'again, or take it out of the folder') from None
        stop = min(length, self._labels.get(label_file).stop + 10 * MS)
        return Recording(str(file), camera, file.name.removesuffix(SUFFIX), label_file, f'cam{camera}', stop)

    def _read_projection(self, camera: int) -> np.ndarray:
        file = Path(self.folder or self.data_root) / self.p_matrices / f'{MATRICES[camera]}.npy'
        if not file.is_file():
            raise FileNotFoundError(f'DHP19Dataset: {file}, the projection of camera {camera}, is missing. It comes '
                                    'with the release, in P_matrices/, and tools/dataset_converters/dhp19.py copies it '
                                    'to the folder that it makes: give that one as data_root, or the folder of the '
                                    'matrices as p_matrices. Without the release: configs/hybrid_pose/*_synthetic.py')
        projection = np.load(file)
        if projection.shape != (3, 4):
            raise ValueError(f'DHP19Dataset: {file} has the shape {list(projection.shape)}, expected [3, 4]')
        return projection


def _natural(file: Path) -> list[int]:
    """``S2_session1_mov10`` comes after ``S2_session1_mov9``."""
    return [int(number) for number in re.findall(r'\d+', file.name.removesuffix(SUFFIX))]


def _open_labels(path: str) -> PoseLabels:
    return PoseLabels(path, POSES, TIMES)
