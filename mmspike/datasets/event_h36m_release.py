"""Event-Human3.6m as it is made: Human3.6m's poses in the cropped and scaled pictures that events were simulated of.

The videos were cropped to 960x768 where the person is, and shrunk to 320x256; the events were simulated from them in
chunks. Source: the published hybrid pose code (``h36m_dataset_generate``).
"""
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np

from .attributes.annotation import AnnotationError
from .attributes.restricted_pickle import read_pickle
from .events import EventFileError, open_events
from .events.hdf5 import COLUMNS

CAMERA_CODES = {'54138969': 0, '55011271': 1, '58860488': 2, '60457274': 3}
HEIGHTS = (1002, 1000, 1000, 1002)  # of the videos, per camera; all are 1000 wide
CROP, SCALE = (768, 960), 3  # rows and columns; of which so many become one
SIZE = (CROP[0] // SCALE, CROP[1] // SCALE)  # 256x320
INTERVAL = 20  # ms between poses
JOINTS = (15, 25, 17, 26, 18, 1, 6, 27, 19, 2, 7, 3, 8)  # of Human3.6m's 32, in the order of DHP19
RENAMED = dict(TakingPhoto='Photo', WalkingDog='WalkDog')  # folders of some subjects -> names of the poses
CROP_LINE = re.compile(r'(S\d+) : (\w+) ?(\d*) *view (\d) *--> *x_start (\d+), y_start (\d+)')
MS = 1_000_000  # ns

Poses = dict[tuple[str, str], list[np.ndarray]]
Crops = dict[tuple[str, str, int], tuple[int, int]]


def action_of(folder: str) -> tuple[str, int | None]:
    """``Directions_1.54138969`` -> ``('Directions 1', 0)``; no camera where the code is unknown."""
    name, _, code = folder.rpartition('.')
    words = name.split('_')
    return ' '.join([RENAMED.get(words[0], words[0]), *words[1:]]), CAMERA_CODES.get(code)


def read_positions(path: Path) -> Poses:
    """Poses in the videos, from a file in the form of VideoPose3D (``data_2d_h36m_gt.npz``); no code in it is run.

    Returns:
        Per subject and action one array per camera. **Shape** [N, 13, 2].

    Raises:
        EventFileError: Another content, or another number of joints than 13 or 32.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open('positions_2d.npy') as file:
            version = np.lib.format.read_magic(file)
            read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
            read_header(file)
            content = read_pickle(file, path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, AnnotationError) as error:
        raise EventFileError(str(path), f'{error}; expected a file of numpy with positions_2d, by subject, action and '
                             'camera') from None
    positions = content.item() if isinstance(content, np.ndarray) else content
    poses: Poses = {}
    for subject, actions in positions.items():
        for action, views in actions.items():
            views = [np.asarray(view, np.float64)[..., :2] for view in views]
            joints = {view.shape[1] for view in views}
            if not joints <= {13, 32}:
                raise EventFileError(str(path), f'{subject} {action} has {sorted(joints)} joints, expected 13 or the '
                                     '32 of Human3.6m')
            name = ' '.join([RENAMED.get(action.split(' ')[0], action.split(' ')[0]), *action.split(' ')[1:]])
            poses[subject, name] = [view if view.shape[1] == 13 else view[:, JOINTS] for view in views]
    return poses


def read_crops(path: Path) -> Crops:
    """Where the videos were cropped, from ``crop_video_coordinates.txt``: column and row of the corner.

    Raises:
        EventFileError: A line of another form.
    """
    crops: Crops = {}
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        if not line.strip():
            continue
        found = CROP_LINE.match(line)
        if found is None:
            raise EventFileError(str(path), f'line {number} is {line!r}, expected for instance '
                                 "'S1 : Posing 1 view 1   -->   x_start 65, y_start 15'")
        subject, action, take, view, column, row = found.groups()
        crops[subject, f'{action} {take}'.strip(), int(view)] = int(column), int(row)
    return crops


def in_crop(poses: np.ndarray, corner: tuple[int, int], camera: int) -> np.ndarray:
    """Pixels of a video to those of the cropped and scaled one; a crop that would leave the video was moved back."""
    column, row = min(corner[0], 1000 - CROP[1]), min(corner[1], HEIGHTS[camera] - CROP[0])
    return (poses - (column, row)) / SCALE


def write_labels(path: Path, poses: Poses, crops: Crops) -> list[str]:
    """Write ``labels.h5``; names of what has no crop, and is left out.

    Args:
        path: The file.
        poses: In the videos.
        crops: Of the videos.
    """
    missing = []
    with h5py.File(path, 'w') as file:
        for (subject, action), views in poses.items():
            for camera, view in enumerate(views):
                corner = crops.get((subject, action, camera))
                if corner is None:
                    missing.append(f'{subject} {action} view {camera}')
                    continue
                cropped = in_crop(view, corner, camera)
                file[f'{subject}/{action}/cam_view_{camera}'] = np.moveaxis(cropped, 1, 2)  # [N, 2, 13]
            if f'{subject}/{action}' in file:
                file[f'{subject}/{action}/timestamps_ms'] = np.arange(len(views[0])) * INTERVAL
    return missing


def merge_chunks(chunks: list[Path], path: Path, camera: int) -> int:
    """Write a simulator's chunks (.npz with t in ns, x, y, p, in the order of their names) as one ``events.h5``.

    Args:
        chunks: The files.
        path: The file to write.
        camera: Its number, written as ``cam_view``.

    Returns:
        Number of events.

    Raises:
        EventFileError: A chunk cannot be read, or time runs backwards from one to the next.
    """
    with h5py.File(path, 'w') as file:
        types = dict(t='<i8', x='<u2', y='<u2', p='u1')
        columns = {name: file.create_dataset(f'events/{name}', (0,), types[name], maxshape=(None,), chunks=(2 ** 16,),
                                             compression='lzf', shuffle=True) for name in COLUMNS}
        total, time, index = 0, 0, [0]
        for chunk in chunks:
            events = open_events(chunk, sort=True)[:]  # t is in ns here, whatever the type says
            if not len(events):
                continue
            if total and events['t'][0] < time:
                raise EventFileError(str(chunk), f'it begins at {events["t"][0]} ns, before the chunk before it ends '
                                     f'({time} ns); are the names in the order of time?')
            for name, column in columns.items():
                column.resize((total + len(events),))
                column[total:] = events[name]
            time = int(events['t'][-1])
            ms = np.arange(len(index), time // MS + 1)
            index += (total + np.searchsorted(np.ascontiguousarray(events['t']), ms * MS)).tolist()
            total += len(events)
        file['ms_to_idx'] = np.array(index, np.uint64)
        file['cam_view'] = camera
    return total


def index_events(file: h5py.File) -> np.ndarray:
    """``ms_to_idx`` of the events (ns, in order) of a file that has none."""
    t = file['events/t'][:]
    return np.searchsorted(t, np.arange(0, (int(t[-1]) if len(t) else 0) // MS + 1) * MS).astype(np.uint64)
