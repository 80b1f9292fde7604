"""Small videos, written where a test asks for them."""
from pathlib import Path

import cv2
import numpy as np
import pytest


def write_video(path: Path, num_frames: int = 20, size: tuple[int, int] = (64, 32), codec: str = 'HFYU',
                grey: bool = False) -> Path:
    """Frame i has the brightness 10 * (i + 1) in its upper half and 5 below; HuffYUV keeps it but for rounding."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), 25, size, not grey)
    assert writer.isOpened(), f'no encoder {codec}'
    for index in range(num_frames):
        frame = np.full((size[1], size[0]) if grey else (size[1], size[0], 3), 5, np.uint8)
        frame[:size[1] // 2] = brightness(index)
        writer.write(frame)
    writer.release()
    return path


def brightness(index: int) -> int:
    return 10 * (index % 24 + 1)


@pytest.fixture
def make_video():
    return write_video


def seen(frames) -> list[int]:
    """Which frame each one is, by its brightness."""
    return [round(float(np.asarray(frame, np.float32)[0].mean()) / 10) - 1 for frame in frames]


@pytest.fixture
def frame_numbers():
    return seen
