"""Files of recorded poses, opened once, read a few poses at a time."""
import h5py
import numpy as np

from .events import EventFileError


class PoseLabels:
    """Poses of one recording in an HDF5 file.

    Args:
        path: The file.
        poses: Path of the poses within it.
        times: Path of their times within it.
        microseconds: Per unit of the times.

    Raises:
        EventFileError: No such file, no HDF5 file, or one that lacks the poses or their times.
    """

    def __init__(self, path: str, poses: str, times: str, microseconds: int = 1) -> None:
        self.path = path
        try:
            file = h5py.File(path, 'r')
        except OSError as error:
            raise EventFileError(path, f'the file of its poses cannot be opened ({error}); copy it again') from None
        missing = [name for name in (poses, times) if name not in file]
        if missing:
            raise EventFileError(path, f'it has no {" and no ".join(missing)}, so no poses; the top of the file holds '
                                 f'{sorted(file)}')
        self._poses = file[poses]
        self.times = file[times][:].astype(np.int64) * microseconds
        if not len(self.times) or len(self.times) != len(self._poses):
            raise EventFileError(path, f'it has {len(self._poses)} poses and {len(self.times)} times of poses, '
                                 'expected one time for each; it was written only in part')

    @property
    def stop(self) -> int:
        """Time of the last pose in microseconds."""
        return int(self.times[-1])

    def near(self, moments: np.ndarray, tolerance: float) -> np.ndarray:
        """The recorded pose nearest to each moment; NaN where none is nearer than the tolerance.

        Args:
            moments: Microseconds, ascending. **Shape** [T].
            tolerance: Microseconds.

        Returns:
            np.ndarray: float64. **Shape** [T, ...] as in the file.
        """
        after = np.searchsorted(self.times, moments).clip(0, len(self.times) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(self.times[after] - moments) < np.abs(self.times[before] - moments), after, before)
        first = nearest[0]
        poses = self._poses[first:nearest[-1] + 1][nearest - first].astype(np.float64)
        poses[np.abs(self.times[nearest] - moments) >= tolerance] = np.nan
        return poses
