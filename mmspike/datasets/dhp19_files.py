"""Writes recordings and poses in the HDF5 layout of DHP19; ``events/hdf5.py`` and ``DHP19Dataset`` read it."""
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

MS = 1000
EVENTS, LABELS = '_events.h5', '_events_label.h5'
CHUNK = 2 ** 16  # events: half a MB of times


def write_events(path: Path, events: Mapping[int, np.ndarray], size: tuple[int, int], duration: int,
                 compression: str | None = None, facts: Mapping[str, str] | None = None) -> None:
    """Write the events of all cameras; columns and rows are from 1 in the file.

    Args:
        path: The file.
        events: ``EVENT`` in order of time, per camera; times from the start of the recording.
        size: Rows and columns of the sensors.
        duration: Of the recording in us; the index has an entry for each millisecond of it.
        compression: ``'lzf'`` or ``'gzip'``.
        facts: Attributes of the file.
    """
    options = dict(compression=compression, shuffle=True, chunks=(CHUNK,)) if compression else {}
    with h5py.File(path, 'w') as file:
        file.attrs.update(facts or {})
        for camera, one in events.items():
            group = file.create_group(f'cam{camera}_events')
            group.attrs.update(height=size[0], width=size[1], origin=1, time_unit='us', ordered=True)
            t = one['t'].astype(np.uint32 if duration < 2 ** 32 else np.int64)
            columns = dict(t=t, x=one['x'] + np.uint16(1), y=one['y'] + np.uint16(1), p=one['p'])
            for name, column in columns.items():
                group.create_dataset(name, data=column, maxshape=(None,) if options else None, **options)
            index = np.searchsorted(one['t'], np.arange(0, duration, MS))
            file[f'cam{camera}_ms_to_idx'] = index.astype(np.uint64 if len(one) >= 2 ** 32 else np.uint32)


def write_poses(path: Path, poses: np.ndarray, times: np.ndarray) -> None:
    """Write the poses of a recording.

    Args:
        path: The file.
        poses: mm. **Shape** [N, K, 3].
        times: us. **Shape** [N].
    """
    with h5py.File(path, 'w') as file:
        file['XYZ/3d_poses'] = np.swapaxes(poses, 1, 2)  # [N, 3, K]
        file['XYZ/timestamps'] = times
