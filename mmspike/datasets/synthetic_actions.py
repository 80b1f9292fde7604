"""Rendered actions as real video files: eight classes that no single frame gives away.

A bright textured polygon stands on a dark textured background. Four properties describe it (horizontal and vertical
position, size, brightness), each a phase on a circle of length 1 that starts anywhere with the same probability. An
action turns one of the four forwards or backwards, so that at every moment all four are still uniform and
independent: **every single frame has the same distribution in every class**, and only its change over time tells.
"""
import math
import shutil
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from mmspike.registry import DATASETS

from .video_dataset import VideoDataset
from .write_once import write_once, write_text

# class: (property that changes, sense); the properties are x, y, size, brightness
ACTIONS = dict(move_left=(0, -1), move_right=(0, 1), move_up=(1, -1), move_down=(1, 1),
               zoom_in=(2, 1), zoom_out=(2, -1), fade_in=(3, 1), fade_out=(3, -1))
CLASSES = tuple(ACTIONS)
SPLITS = ('train', 'test')
VERSION = 1  # raise it when the rendering changes: sets on disk are then written anew
FRAME_RATE = 8
BAR_UPDATES = 40  # of the progress bar: a log file that keeps them all stays readable


def sample_phases(label: int, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the course of one action.

    Args:
        label: Index into ``CLASSES``.
        num_frames: T.
        rng: Source of randomness.

    Returns:
        ``[T, 4]`` phases in [0, 1): x, y, size, brightness.
    """
    start = rng.random(4)
    # per frame: 1.5 to 4 of 64 pixels; 5 to 10 % of the ranges of size and brightness
    speed = np.append(rng.uniform(1.5 / 64, 4 / 64, 2), rng.uniform(0.05, 0.1, 2))
    changing, sense = ACTIONS[CLASSES[label]]
    step = np.where(np.arange(4) == changing, sense * speed, 0)
    return (start + np.arange(num_frames)[:, None] * step) % 1


def render_clip(phases: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a clip; the picture is a torus, so what leaves at one edge enters at the other.

    Args:
        phases: ``[T, 4]``, see ``sample_phases``.
        size: Height and width in pixels.
        rng: Source of shape, texture and colours.

    Returns:
        uint8 ``[T, H, W, 3]``, RGB.
    """
    x, y, scale, brightness = phases.T[..., None, None].astype(np.float32)  # each [T, 1, 1]
    pixel = np.arange(size, dtype=np.float32) + 0.5
    dx = (pixel - x * size + size / 2) % size - size / 2  # [T, 1, W], to the nearest image of the centre
    dy = (pixel[:, None] - y * size + size / 2) % size - size / 2  # [T, H, 1]
    radius = size / 9 * 3**scale

    sides = int(rng.integers(3, 8))
    angles = rng.uniform(0, 2 * math.pi) + np.arange(sides) * (2 * math.pi / sides)
    outside = _along(dx, dy, angles[0])  # distance from the centre in the direction of the nearest side
    for angle in angles[1:]:
        np.maximum(outside, _along(dx, dy, angle), out=outside)
    cover = np.clip(radius * math.cos(math.pi / sides) - outside + 0.5, 0, 1)  # [T, H, W], soft edge of one pixel

    stripes = _along(dx / radius, dy / radius, rng.uniform(0, math.pi))  # they grow with the polygon
    texture = 0.85 + 0.15 * np.cos(rng.uniform(2, 6) * stripes + rng.uniform(0, 2 * math.pi))
    polygon = (0.45 + 0.55 * brightness) * texture * cover
    ground = _background(size, rng) * (1 - cover)
    picture = np.empty((*cover.shape, 3), np.uint8)  # [T, H, W, 3]
    for channel in range(3):
        colour, ground_colour = rng.uniform(0.75, 1), rng.uniform(0.5, 1)
        picture[..., channel] = polygon * (255 * colour) + (ground * (255 * ground_colour) + 0.5)
    return picture


def _along(dx: np.ndarray, dy: np.ndarray, angle: float) -> np.ndarray:
    return dx * math.cos(angle) + dy * math.sin(angle)


def _background(size: int, rng: np.random.Generator) -> np.ndarray:
    """Six waves with whole periods, so that the texture has no seam: ``[H, W]`` in 0.02 .. 0.22."""
    ky, kx = rng.integers(-6, 7, (2, 6, 1, 1)).astype(np.float32)
    wave = np.arange(size, dtype=np.float32) * (2 * math.pi / size)
    start = rng.uniform(0, 2 * math.pi, (6, 1, 1)).astype(np.float32)
    return 0.12 + 0.1 * np.cos(ky * wave[:, None] + kx * wave + start).mean(0)


def make_clip(split: str, index: int, num_frames: int = 8, size: int = 64) -> tuple[np.ndarray, int]:
    """Make clip ``index`` of a split, the same one whatever else is made: uint8 ``[T, H, W, 3]`` RGB, and its label."""
    rng = np.random.default_rng((SPLITS.index(split), index))
    label = index % len(CLASSES)
    return render_clip(sample_phases(label, num_frames, rng), size, rng), label


def write_video(path: Path | str, frames: np.ndarray) -> None:
    """Write a clip as HuffYUV in AVI.

    Of the codecs that the OpenCV wheels write and OpenCV, PyAV and decord read, this one is lossless, so that no coding
    noise competes with the motion, and is written five times and read twice as fast as FFV1.

    Args:
        path: The file, ``.avi``.
        frames: uint8 ``[T, H, W, 3]``, RGB.

    Raises:
        RuntimeError: If OpenCV has no such encoder.
    """
    height, width = frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*'HFYU'), FRAME_RATE, (width, height))
    if not writer.isOpened():
        raise RuntimeError(f'OpenCV {cv2.__version__} cannot open {path} for writing HuffYUV. The opencv-python wheels '
                           'from PyPI bring the encoder (FFmpeg); other builds may lack it.')
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()


@DATASETS.register_module()
class SyntheticActions(VideoDataset):
    """The rendered actions, written under ``data_root`` on first use, in the layout of Kinetics.

    ``<data_root>/<split>/<class>/<clip>.avi``, ``<data_root>/<split>_list.txt`` and ``<data_root>/classes.txt``. Of
    the processes of a run one writes, the others wait; other parameters, or an interrupted write, write anew.

    Args:
        data_root: Folder to write to and read from.
        split: ``'train'`` or ``'test'``.
        num_clips: Clips in the split, a multiple of the 8 classes.
        num_frames: Frames per clip.
        size: Height and width in pixels.
        **kwargs: Of ``VideoDataset`` (``pipeline``, ``test_mode``, ...).

    Raises:
        ValueError: If split or num_clips is not one of the above.
    """

    METAINFO = dict(classes=CLASSES)

    def __init__(self, data_root: str, split: str, num_clips: int, num_frames: int = 8, size: int = 64, **kwargs):
        if split not in SPLITS:
            raise ValueError(f"SyntheticActions: split must be 'train' or 'test', got {split!r}.")
        if num_clips <= 0 or num_clips % len(CLASSES):
            raise ValueError(f'SyntheticActions: num_clips must be a positive multiple of its {len(CLASSES)} classes, '
                             f'got {num_clips}; take {max(1, round(num_clips / len(CLASSES))) * len(CLASSES)}.')
        self.split, self.num_clips, self.num_frames, self.size = split, num_clips, num_frames, size
        super().__init__(ann_file=f'{split}_list.txt', data_root=data_root, data_prefix=dict(video=split), **kwargs)

    def load_data_list(self) -> list[dict]:
        """Write the clips if they are not there, then read the list."""
        root = Path(self.data_root)
        parameters = dict(version=VERSION, split=self.split, num_clips=self.num_clips, num_frames=self.num_frames,
                          size=self.size)
        write_once(root / self.split, parameters, self._write_clips)
        write_text(root / f'{self.split}_list.txt',
                   ''.join(f'{_clip_name(index)} {index % len(CLASSES)}\n' for index in range(self.num_clips)))
        write_text(root / 'classes.txt', ''.join(f'{name}\n' for name in CLASSES))
        return super().load_data_list()

    def _write_clips(self, folder: Path) -> None:
        # Printed, as the bar is: the logger is silent in all processes of a distributed run but one, and any may write
        print_log(f'Writing {self.num_clips} synthetic clips to {Path(self.data_root) / self.split} (only this once)')
        needed = self.num_clips * self.num_frames * self.size**2 * 3
        free = shutil.disk_usage(folder).free
        if free < needed:  # the video writer is silent when the disk is full
            raise OSError(f'up to {needed >> 20} MiB are needed, {free >> 20} MiB are free')
        for name in CLASSES:
            (folder / name).mkdir()
        bar = ProgressBar(self.num_clips)
        for indices in np.array_split(range(self.num_clips), min(self.num_clips, BAR_UPDATES)):
            for index in indices:
                frames, _ = make_clip(self.split, int(index), self.num_frames, self.size)
                write_video(folder / _clip_name(index), frames)
            bar.update(len(indices))
        bar.file.write('\n')


def _clip_name(index: int) -> str:
    return f'{CLASSES[index % len(CLASSES)]}/clip_{index:05d}.avi'
