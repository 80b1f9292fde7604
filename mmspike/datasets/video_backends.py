"""The decoders: OpenCV, decord, PyAV, and folders of frames."""
import ctypes
import os
import re
from collections.abc import Iterator, Sequence
from types import ModuleType
from unittest import mock

import cv2
import numpy as np

from .video_reader import EndedEarly, VideoReader, VideoReadError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


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

    def stream(self, indices: Sequence[int]) -> Iterator[np.ndarray]:
        """Decode frames one by one, for more than fit into memory; up to ``TAIL_FRAMES`` at the end may be missing.

        Args:
            indices: Frame numbers, rising.

        Yields:
            np.ndarray: uint8 RGB. **Shape** [H, W, 3].

        Raises:
            VideoReadError: The video ends before its last frames.
        """
        try:
            yield from self._frames(indices)
        except EndedEarly as end:
            self._check_end(end)

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        return list(self._frames(wanted))

    def _frames(self, wanted: Sequence[int]) -> Iterator[np.ndarray]:
        capture = cv2.VideoCapture(self.path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, self.num_threads])
        grabbed = 0
        try:
            for index in wanted:
                while grabbed <= index:
                    if not capture.grab():
                        raise EndedEarly(grabbed)
                    grabbed += 1
                ok, frame = capture.retrieve()
                if not ok:
                    raise VideoReadError(self.path, f'frame {index} cannot be converted to RGB')
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()


class DecordReader(VideoReader):
    """decord's own index and decoder.

    Not for AVI: decord 0.6 seeks to wrong frames there (measured: 7 of 9 in an MPEG-4 file with B-frames, and some
    after long jumps in a web video), and there is no way to ask it for one plain pass.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        super().__init__(path)
        decord = load_decord()
        try:
            self._video = decord.VideoReader(path, num_threads=num_threads)
        except Exception as error:  # decord raises bare RuntimeErrors that quote its C++ stack
            raise VideoReadError(path, f'decord cannot open it: {_first_line(error)}') from None
        # decord does not tell what the container declares
        header = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
        self._set_length(len(self._video), int(header.get(cv2.CAP_PROP_FRAME_COUNT)))

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        try:
            # A batch, not frame by frame: at some widths (48) decord mixes up its rows, and only the batch says so
            return list(self._video.get_batch(wanted).asnumpy())
        except Exception as error:
            raise VideoReadError(self.path, f'decord cannot decode it: {_first_line(error)}') from None


class PyAVReader(VideoReader):
    """PyAV: the fastest backend, and the only one that leaves out the frames that an edit list hides.

    Frames that no other frame refers to (most B-frames) are decoded only if asked for; the others come out the same
    to the bit. Needs display times in the file, as mp4, mov, mkv and webm have them; elsewhere (AVI) every frame is
    decoded.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        super().__init__(path)
        self.num_threads = num_threads
        av = self._av = _import('av', 'pyav')
        try:
            with av.open(path) as container:
                stream = container.streams.video[0]
                packets = [(packet.pts, packet.is_discard) for packet in container.demux(stream) if packet.size]
                seconds = float(container.duration or 0) / av.time_base
                declared = stream.frames or round(seconds * float(stream.average_rate or 0))
                timed = any(name in container.format.name for name in ('mp4', 'matroska'))
        except (av.error.FFmpegError, IndexError) as error:
            why = 'no video stream in it' if isinstance(error, IndexError) else _first_line(error)
            raise VideoReadError(path, f'not a video, or its index is lost (truncated): {why}') from None
        stamps = [stamp for stamp, hidden in packets if not hidden]
        timed = timed and None not in stamps and len(set(stamps)) == len(stamps)
        self._stamps = sorted(stamps) if timed else None  # display times of all frames
        self._set_length(len(stamps), declared - (len(packets) - len(stamps)))

    def _decode(self, wanted: list[int]) -> list[np.ndarray]:
        if self._stamps and wanted[-1] < len(self._stamps):
            times = [self._stamps[index] for index in wanted]
            frames, _ = self._pass(times, by_time=True)
            if len(frames) == len(times):
                return [frames[time] for time in times]
        frames, decodable = self._pass(wanted, by_time=False)
        if len(frames) < len(wanted):
            raise EndedEarly(decodable)
        return [frames[index] for index in wanted]

    def _pass(self, wanted: list[int], by_time: bool) -> tuple[dict[int, np.ndarray], int]:
        """Decode up to the last frame wanted, by display time or by number; also how many frames came out."""
        left, frames, decoded = set(wanted), {}, 0
        with self._av.open(self.path) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = self.num_threads
            try:
                for packet in container.demux(stream):
                    if by_time:
                        needed = packet.pts in left or not packet.size  # an empty packet flushes the decoder
                        stream.codec_context.skip_frame = 'DEFAULT' if needed else 'NONREF'
                    for frame in packet.decode():
                        key = frame.pts if by_time else decoded
                        decoded += 1
                        if key in left:
                            frames[key] = _upright(frame)
                            left.remove(key)
                    if not left:
                        break
            except self._av.error.FFmpegError as error:
                raise VideoReadError(self.path, f'damaged after frame {decoded}: {_first_line(error)}') from None
        return frames, decoded


class FrameFolderReader(VideoReader):
    """A folder of single images, in the order of the numbers in their names.

    Args:
        path: The folder.
        filename_tmpl: Name of a frame, such as ``'img_{:05}.jpg'``; numbering may start anywhere.
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
        path: The file or folder.
        backend: ``'opencv'``, ``'decord'`` or ``'pyav'``; a folder needs none.
        filename_tmpl: Name of a frame in a folder, such as ``'img_{:05}.jpg'``.
        num_threads: Decoder threads. 1 is best in data loader workers, of which there are many.

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


def load_decord() -> ModuleType:
    """decord, loaded for itself alone.

    Its library brings along a C++ runtime of 2014 and is meant to be loaded for the whole process: torch would then
    leave to that runtime what is to be freed as threads and the process end, which ends in "double free or corruption".
    """
    with mock.patch.object(ctypes, 'RTLD_GLOBAL', ctypes.RTLD_LOCAL):
        return _import('decord', 'decord')


def _import(module: str, backend: str):
    try:
        return __import__(module)
    except ImportError:
        raise ImportError(f"video backend '{backend}' needs the package {module}: pip install {module}, "
                          "or use backend='opencv'") from None


def _upright(frame) -> np.ndarray:
    image, turns = frame.to_ndarray(format='rgb24'), round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
