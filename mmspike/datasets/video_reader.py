"""Frames of a video by number, from one sequential pass.

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
import os
import re
from collections.abc import Sequence

import cv2
import numpy as np

from .video_container import is_iso_media, missing_bytes

TAIL_FRAMES = 2
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


class VideoReadError(RuntimeError):
    """A video that cannot be read.

    Args:
        path (str): The video.
        why (str): What is wrong with it.
    """

    def __init__(self, path: str, why: str = '') -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f'cannot read video {self.path}: {self.why}' if self.why else str(self.path)


class _EndedEarly(Exception):
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
        except _EndedEarly as end:
            if end.decodable == 0 or len(self) - end.decodable > TAIL_FRAMES:
                raise VideoReadError(
                    self.path, f'ended early: {end.decodable} of {len(self)} frames can be decoded. It is damaged, '
                    'or was cut without re-encoding (an edit list hides frames): encode it again, or read it with '
                    "backend='pyav'") from None
            indices = [min(index, end.decodable - 1) for index in indices]
            frames = self._decode_unique(indices)
        used: set[int] = set()
        out = []
        for index in indices:
            # A later transform may flip a frame in place: two entries of one list must not share memory
            out.append(frames[index].copy() if index in used else frames[index])
            used.add(index)
        return out

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


class OpenCVReader(VideoReader):
    """OpenCV's FFmpeg, grabbing every frame and converting only those asked for. Rotation tags are followed."""

    def __init__(self, path: str, num_threads: int = 1) -> None:
        super().__init__(path)
        self.num_threads = num_threads
        coded = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])  # -1: coded frames, not decoded
        if not coded.isOpened():
            raise VideoReadError(path, 'not a video, or its index is lost (truncated)')
        declared, counted = int(coded.get(cv2.CAP_PROP_FRAME_COUNT)), 0
        while coded.grab():
            counted += 1
        coded.release()
        self._set_length(counted, declared)

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        capture = cv2.VideoCapture(self.path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, self.num_threads])
        frames, grabbed = [], 0
        try:
            for index in wanted:
                while grabbed <= index:
                    if not capture.grab():
                        raise _EndedEarly(grabbed)
                    grabbed += 1
                ok, frame = capture.retrieve()
                if not ok:
                    raise VideoReadError(self.path, f'frame {index} cannot be converted to RGB')
                frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        finally:
            capture.release()
        return frames


class DecordReader(VideoReader):
    """decord's own index and decoder.

    Not for AVI: decord 0.6 seeks to wrong frames there (measured: 7 of 9 in an MPEG-4 file with B-frames, and some
    after long jumps in a web video), and there is no way to ask it for one plain pass.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        super().__init__(path)
        decord = _import('decord', 'decord')
        try:
            self._video = decord.VideoReader(path, num_threads=num_threads)
        except Exception as error:  # decord raises bare RuntimeErrors that quote its C++ stack
            raise VideoReadError(path, f'decord cannot open it: {_first_line(error)}') from None
        # decord does not tell what the container declares
        header = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
        self._set_length(len(self._video), int(header.get(cv2.CAP_PROP_FRAME_COUNT)))

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        try:
            return list(self._video.get_batch(wanted).asnumpy())
        except Exception as error:
            raise VideoReadError(self.path, f'decord cannot decode it: {_first_line(error)}') from None


class PyAVReader(VideoReader):
    """PyAV: the only backend that leaves out the frames that an edit list hides."""

    def __init__(self, path: str, num_threads: int = 1) -> None:
        super().__init__(path)
        self.num_threads = num_threads
        av = self._av = _import('av', 'pyav')
        try:
            with av.open(path) as container:
                stream = container.streams.video[0]
                packets = [packet.is_discard for packet in container.demux(stream) if packet.size]
                seconds = float(container.duration or 0) / av.time_base
                declared = stream.frames or round(seconds * float(stream.average_rate or 0))
        except (av.error.FFmpegError, IndexError) as error:
            why = 'no video stream in it' if isinstance(error, IndexError) else _first_line(error)
            raise VideoReadError(path, f'not a video, or its index is lost (truncated): {why}') from None
        hidden = sum(packets)
        self._set_length(len(packets) - hidden, declared - hidden)

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        frames, decoded = [], 0
        with self._av.open(self.path) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = self.num_threads
            remaining = iter(wanted)
            index = next(remaining)
            try:
                for frame in container.decode(stream):
                    if decoded == index:
                        image = frame.to_ndarray(format='rgb24')
                        turns = round(frame.rotation / 90) % 4
                        frames.append(np.ascontiguousarray(np.rot90(image, turns)) if turns else image)
                        index = next(remaining, None)
                        if index is None:
                            return frames
                    decoded += 1
            except self._av.error.FFmpegError as error:
                raise VideoReadError(self.path, f'damaged at frame {decoded}: {_first_line(error)}') from None
        raise _EndedEarly(decoded)


class FrameFolderReader(VideoReader):
    """A folder of single images, in the order of the numbers in their names.

    Args:
        path (str): The folder.
        filename_tmpl (str, optional): Name of a frame, such as ``'img_{:05}.jpg'``; numbering may start anywhere.
            ``None`` takes every image.
    """

    def __init__(self, path: str, filename_tmpl: str | None = None) -> None:
        super().__init__(path)
        if filename_tmpl is None:
            names = [name for name in os.listdir(path) if name.lower().endswith(IMAGE_SUFFIXES)]
        else:
            before, _, after = filename_tmpl.partition('{')
            pattern = re.compile(re.escape(before) + r'(\d+)' + re.escape(after.partition('}')[2]))
            names = [name for name in os.listdir(path) if pattern.fullmatch(name)]
        self._names = sorted(names, key=lambda name: [int(part) if part.isdigit() else part
                                                      for part in re.split(r'(\d+)', name)])
        if not names:
            raise VideoReadError(path, f'no frames named like {filename_tmpl!r} in this folder' if filename_tmpl
                                 else f'no images ({", ".join(IMAGE_SUFFIXES)}) in this folder')
        self.num_frames = len(names)

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        frames = []
        for index in wanted:
            frame = cv2.imread(os.path.join(self.path, self._names[index]), cv2.IMREAD_COLOR)
            if frame is None:
                raise VideoReadError(self.path, f'{self._names[index]} is not an image')
            frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        return frames


BACKENDS = dict(opencv=OpenCVReader, decord=DecordReader, pyav=PyAVReader)


def open_video(path: str, backend: str = 'opencv', filename_tmpl: str | None = None,
               num_threads: int = 1) -> VideoReader:
    """Open a video file, or a folder of frames.

    Args:
        path (str): The file or folder.
        backend (str): ``'opencv'``, ``'decord'`` or ``'pyav'``; a folder needs none.
        filename_tmpl (str, optional): Name of a frame in a folder, such as ``'img_{:05}.jpg'``.
        num_threads (int): Decoder threads. 1 is best in data loader workers, of which there are many.

    Returns:
        VideoReader: ``len(reader)`` frames, ``reader.read(indices)``.

    Raises:
        VideoReadError: Missing, empty, not a video, without frames, truncated or damaged.
        ValueError: An unknown backend.
    """
    if backend not in BACKENDS:
        raise ValueError(f'video backend {backend!r} is unknown; choose one of {", ".join(BACKENDS)}')
    if os.path.isdir(path):
        return FrameFolderReader(path, filename_tmpl)
    if filename_tmpl is not None:
        raise VideoReadError(path, 'a file' if os.path.exists(path) else 'no such folder')
    if not os.path.exists(path):
        raise VideoReadError(path, 'no such file')
    if os.path.getsize(path) == 0:
        raise VideoReadError(path, 'the file is empty (0 bytes)')
    return BACKENDS[backend](path, num_threads)


def _import(module: str, backend: str):
    try:
        return __import__(module)
    except ImportError:
        raise ImportError(f"video backend '{backend}' needs the package {module}: pip install {module}, "
                          "or use backend='opencv'") from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
