"""Frames of a video by number, from one sequential pass: the rules that all backends share.

Seeking per frame costs a decode from the last key frame each time (measured: 948-1332 ms for 48 frames, against
76-170 ms for one pass), so every backend reads forward once and stops at the last frame asked for.

How long is a video? Measured on 29 web and camera videos and on generated ones: the count that a container declares is
exact for mp4 and mov, but is duration x frame rate for mkv, webm and flv: one too many on 11 of 21 camera clips,
and 33-67 % too many with a longer sound track or a variable frame rate. The number of coded frames, counted without
decoding them (0.2-6 ms), equalled the number of decodable ones on every sound file. So:

1. ``len(reader)`` counts coded frames.
2. Fewer than declared (by more than ``TAIL_FRAMES``) is an error where the file lacks bytes by its own headers
   (truncated), or where the declared count is exact (damaged).
3. Up to ``TAIL_FRAMES`` frames that do not decode at the very end are replaced by the last one that does; a video that
   ends earlier is an error. Frames are never repeated in silence.
"""
from collections.abc import Sequence

import numpy as np

from .video_container import is_iso_media, missing_bytes

TAIL_FRAMES = 2


class VideoReadError(RuntimeError):
    """A video that cannot be read.

    Args:
        path: The video.
        why: What is wrong with it.
    """

    def __init__(self, path: str, why: str = '') -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f'cannot read video {self.path}: {self.why}' if self.why else str(self.path)


class EndedEarly(Exception):
    """Raised by a backend whose video ended after ``decodable`` frames."""

    def __init__(self, decodable: int) -> None:
        super().__init__(decodable)
        self.decodable = decodable


class VideoReader:
    """What the backends share: the range check, unique and sorted requests, and the rule for a missing tail."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.num_frames = 0

    def __len__(self) -> int:
        return self.num_frames

    def read(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Decode frames.

        Args:
            indices: Frame numbers from 0, in any order, repeats allowed.

        Returns:
            list[np.ndarray]: uint8 RGB frames in the order of ``indices``, each with its own memory.
            **Shape** [H, W, 3].

        Raises:
            IndexError: A number outside the video.
            VideoReadError: The video ends before its last frames.
        """
        indices = [int(index) for index in indices]
        if not indices:
            return []
        if min(indices) < 0 or max(indices) >= len(self):
            raise IndexError(f'{self.path} has frames 0 to {len(self) - 1}, asked for {min(indices)} to {max(indices)}')
        try:
            frames = self._decode_unique(indices)
        except EndedEarly as end:
            self._check_end(end)
            indices = [min(index, end.decodable - 1) for index in indices]
            frames = self._decode_unique(indices)
        used: set[int] = set()
        out = []
        for index in indices:
            # A later transform may flip a frame in place: two entries of one list must not share memory
            out.append(frames[index].copy() if index in used else frames[index])
            used.add(index)
        return out

    def _check_end(self, end: EndedEarly) -> None:
        if end.decodable == 0 or len(self) - end.decodable > TAIL_FRAMES:
            raise VideoReadError(
                self.path, f'ended early: {end.decodable} of {len(self)} frames can be decoded. It is damaged, or was '
                "cut without re-encoding (an edit list hides frames): encode it again, or read it with backend='pyav'"
            ) from None

    def _decode_unique(self, indices: list[int]) -> dict[int, np.ndarray]:
        wanted = sorted(set(indices))
        return dict(zip(wanted, self._decode(wanted), strict=True))

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        raise NotImplementedError

    def _set_length(self, counted: int, declared: int) -> None:
        """Rules 1 and 2 above."""
        lacking = missing_bytes(self.path)
        if counted < 1:
            raise VideoReadError(self.path, f'no frames in it (declared: {max(declared, 0)})'
                                 + (f'; the file is truncated, {lacking} bytes are missing' if lacking else ''))
        if declared - counted > TAIL_FRAMES:
            if lacking:
                raise VideoReadError(self.path, f'truncated: {lacking} bytes and {declared - counted} of {declared} '
                                     'frames are missing; copy or download it again')
            if is_iso_media(self.path):
                raise VideoReadError(self.path, f'damaged: {counted} of {declared} frames can be read')
        self.num_frames = counted
