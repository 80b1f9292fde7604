"""An articulated figure in motion, seen by simulated event cameras, in the layout of DHP19."""
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from mmspike.registry import DATASETS
from mmspike.structures import picture_projection, project

from .dhp19_dataset import MATRICES, SUFFIX, DHP19Dataset
from .dhp19_files import write_events, write_poses
from .events import make_events
from .moving_figure import (
    MOTIONS,
    draw_body,
    draw_motion,
    draw_paint,
    paint_frames,
    pixels_per_mm,
    pose_body,
    release_cameras,
    simulate_events,
)
from .write_once import write_once

VERSION = 1  # raise it when figure or camera change: sets on disk are then written anew
SPLITS = ('train', 'val', 'test')
NUM_SEQUENCES = dict(train=100, val=16, test=16)
FRAME, LABEL = 2000, 10_000  # interval between rendered frames, and between labels, in us
BAR_UPDATES = 40  # of the progress bar: a log file that keeps them all stays readable


def make_sequence(index: int, seconds: float, cameras: Sequence[int], size: int = 64) -> tuple[np.ndarray, dict]:
    """Make a sequence, the same one whatever else is made.

    Args:
        index: From 0; each shows another person, five in a row the five motions.
        seconds: Its length.
        cameras: Numbers of the cameras that see it.
        size: Height and width of their sensors in pixels.

    Returns:
        tuple: Poses every 10 ms in mm, **Shape** [N, 13, 3]; and per camera its events,
        :func:`~mmspike.datasets.moving_figure.simulate_events`.
    """
    rng = np.random.default_rng(index)
    times = np.arange(0, round(seconds * 1e6), FRAME) * 1e-6
    poses = pose_body(draw_body(rng), draw_motion(list(MOTIONS)[index % len(MOTIONS)], times, rng))
    events = {}
    for camera in cameras:
        rng = np.random.default_rng((index, camera))
        projection, centre = release_cameras(size)[camera]
        pixels = project(poses, picture_projection(projection, size))
        depths = np.linalg.norm(poses - centre, axis=-1)
        frames = paint_frames(pixels, depths, draw_paint(size, rng), pixels_per_mm(size))
        events[camera] = simulate_events(frames, FRAME, rng)
    return poses[::LABEL // FRAME], events


@DATASETS.register_module()
class SyntheticPoses(DHP19Dataset):
    """The moving figure, written under ``data_root`` on first use, in the layout of DHP19.

    Persons of ``train``, ``val`` and ``test`` are different ones, as in the real set. Of the processes of a run one
    writes, the others wait; other parameters, or an interrupted write, write anew.

    Args:
        data_root: Folder to write to and read from.
        split: ``'train'``, ``'val'`` or ``'test'``.
        cameras: Numbers of the cameras to take, of ``made_cameras``.
        num_sequences: Sequences of ``train``, ``val`` and ``test``. All data sets of one ``data_root`` must agree in
            this and the following.
        seconds: Length of a sequence.
        size: Height and width of the sensors in pixels, a multiple of 32.
        made_cameras: Numbers of the cameras that are simulated.
        **kwargs: Of ``DHP19Dataset`` (``window_ms``, ``history``, ``pipeline``, ...).

    Raises:
        ValueError: A split, number, size or camera that cannot be.
    """

    def __init__(self, data_root: str, split: str = 'train', cameras: Sequence[int] = (3,),
                 num_sequences: Mapping[str, int] = NUM_SEQUENCES, seconds: float = 4, size: int = 64,
                 made_cameras: Sequence[int] = (3, 2), **kwargs) -> None:
        if split not in SPLITS:
            raise ValueError(f"SyntheticPoses: split is {split!r}, expected 'train', 'val' or 'test'")
        given = num_sequences if isinstance(num_sequences, Mapping) else {}
        if set(given) != set(SPLITS) or not all(isinstance(n, int) and n > 0 for n in given.values()):
            raise ValueError('SyntheticPoses: num_sequences must give a positive number for each of train, val and '
                             f'test, got {num_sequences!r}; by default it is {NUM_SEQUENCES}')
        if size <= 0 or size % 32:
            raise ValueError(f'SyntheticPoses: size must be a positive multiple of 32, got {size}; take '
                             f'{max(1, round(size / 32)) * 32}')
        if not set(cameras) <= set(made_cameras) or not set(made_cameras) <= set(MATRICES):
            raise ValueError(f'SyntheticPoses: cameras={tuple(cameras)} and made_cameras={tuple(made_cameras)}; '
                             'expected cameras that are made, of 0, 1, 2 and 3')
        self.num_sequences = {name: num_sequences[name] for name in SPLITS}
        self.seconds, self.size, self.made_cameras = seconds, size, tuple(made_cameras)
        before = sum(self.num_sequences[name] for name in SPLITS[:SPLITS.index(split)])
        numbers = range(before + 1, before + self.num_sequences[split] + 1)
        super().__init__(data_root, numbers, cameras, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Make the recordings if they are not there, then list their windows."""
        parameters = dict(version=VERSION, num_sequences=self.num_sequences, seconds=self.seconds, size=self.size,
                          cameras=self.made_cameras)
        write_once(self.data_root, parameters, self._write)
        return super().load_data_list()

    def _write(self, folder: Path) -> None:
        # Printed, as the bar is: the logger is silent in all processes of a distributed run but one, and any may write
        total = sum(self.num_sequences.values())
        print_log(f'Simulating {total} synthetic recordings by {len(self.made_cameras)} cameras into {self.data_root} '
                  '(only this once)')
        needed = round(total * len(self.made_cameras) * self.seconds * self.size**2 * 80)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise OSError(f'about {needed >> 20} MiB are needed, {free >> 20} MiB are free')
        known = release_cameras(self.size)
        for camera in self.made_cameras:
            np.save(folder / f'{MATRICES[camera]}.npy', known[camera][0])
        bar = ProgressBar(total)
        for index in range(total):
            poses, events = make_sequence(index, self.seconds, self.made_cameras, self.size)
            write_sequence(folder / f'S{index + 1}_session1_mov{index % len(MOTIONS) + 1}{SUFFIX}', poses, events,
                           self.size, round(self.seconds * 1e6))
            if (index + 1) % -(-total // BAR_UPDATES) == 0 or index + 1 == total:
                bar.update(index + 1 - bar.completed)
        bar.file.write('\n')


def write_sequence(path: Path, poses: np.ndarray, events: Mapping[int, Mapping[str, np.ndarray]], size: int,
                   duration: int) -> None:
    """Write a recording in the layout of DHP19, columns and rows from 1.

    Args:
        path: Of the file of events, ``..._events.h5``.
        poses: Every 10 ms. **Shape** [N, 13, 3].
        events: Per camera.
        size: Height and width of the sensors in pixels.
        duration: Microseconds.
    """
    recorded = {camera: make_events(*(columns[name] for name in 'txyp')) for camera, columns in events.items()}
    write_events(path, recorded, (size, size), duration)
    write_poses(Path(str(path)[:-len('.h5')] + '_label.h5'), poses, np.arange(len(poses)) * LABEL)
