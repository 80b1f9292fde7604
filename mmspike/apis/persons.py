"""Persons in image files and videos: whole pictures, or the boxes that a file names."""
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmspike.datasets import open_video
from mmspike.datasets.image_reader import read_image
from mmspike.datasets.video_list import VIDEO_SUFFIXES

EXAMPLE = '{"street.jpg": [[x1, y1, x2, y2], ...], "walk.mp4": {"0": [[x1, y1, x2, y2], ...], "25": [...]}}'


@dataclass
class Person:
    """One person to look at.

    Args:
        path: The file that it is in.
        crop: uint8 BGR, [H, W, 3].
        frame: Number of the video's frame, from 0; ``None`` in an image.
        box: x1, y1, x2, y2 in pixels; ``None`` where the crop is the whole picture.
        number: Of the box, from 0.
    """

    path: Path
    crop: np.ndarray
    frame: int | None = None
    box: tuple[float, float, float, float] | None = None
    number: int = 0

    @property
    def name(self) -> str:
        """Such as ``walk_frame25_person0``."""
        parts = [self.path.stem, *([f'frame{self.frame}'] if self.frame is not None else []),
                 *([f'person{self.number}'] if self.box is not None else [])]
        return '_'.join(parts)


class PersonReader:
    """Files -> persons.

    Args:
        boxes: Path of a JSON file, or what is in one: by file (path as given, or name) the boxes of its persons, for a
            video by number of the frame. A file that it does not name has no persons. ``None``: the whole picture is
            one person.
        interval: Every so-manieth frame of a video is looked at, unless ``boxes`` names frames.

    Raises:
        FileNotFoundError: There is no such JSON file.
        ValueError: It is not as above, or the interval is not positive.
    """

    def __init__(self, boxes: str | Path | Mapping | None = None, interval: int = 25) -> None:
        if interval < 1:
            raise ValueError(f'interval={interval}: expected 1 (every frame of a video) or more')
        self.interval = interval
        self._source = 'boxes' if isinstance(boxes, Mapping) else str(boxes)
        self._boxes = None if boxes is None else self._load(boxes)

    def check(self, paths: Sequence[Path]) -> None:
        """Raises where boxes are given, but for none of the files.

        Raises:
            ValueError: As it says.
        """
        if self._boxes is not None and paths and not any(self._key(path) for path in paths):
            named = ', '.join(list(self._boxes)[:5]) or 'nothing'
            raise ValueError(f'{self._source}: no boxes for any of the {len(paths)} files, such as {paths[0]}; it '
                             f'names {named}. Expected their paths as given, or their names: {EXAMPLE}')

    def _key(self, path: Path) -> str | None:
        return next((name for name in (str(path), path.name) if name in self._boxes), None)

    def __call__(self, path: Path) -> Iterator[Person]:
        """The persons of an image or a video, in order.

        Raises:
            ImageReadError, VideoReadError: The file cannot be read, as far as it was not.
            ValueError: A box or a frame that is not in the picture or the video.
        """
        boxes = None if self._boxes is None else self._boxes.get(self._key(path), [])
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield from self._of_video(path, boxes)
        else:
            if isinstance(boxes, dict):
                raise ValueError(f'{self._source}: boxes by frame for {path}, which is no video. Expected {EXAMPLE}')
            yield from self._cut(path, read_image(str(path)), None, boxes)

    def _of_video(self, path: Path, boxes: dict | list | None) -> Iterator[Person]:
        reader = open_video(str(path))
        if boxes is None:
            wanted = list(range(0, len(reader), self.interval))
        elif isinstance(boxes, dict):
            wanted = sorted(boxes)
            if wanted and not 0 <= wanted[0] <= wanted[-1] < len(reader):
                raise ValueError(f'{self._source}: {path} has frames 0 to {len(reader) - 1}, boxes are given for '
                                 f'{wanted[0]} to {wanted[-1]}')
        elif boxes:
            raise ValueError(f'{self._source}: a list of boxes for the video {path}, expected boxes by frame: '
                             f'{EXAMPLE}')
        else:
            wanted = []
        for frame, image in zip(wanted, reader.stream(wanted), strict=False):  # a missing tail ends it early
            yield from self._cut(path, image[..., ::-1], frame, None if boxes is None else boxes[frame])

    def _cut(self, path: Path, image: np.ndarray, frame: int | None, boxes: list | None) -> Iterator[Person]:
        if boxes is None:
            yield Person(path, np.ascontiguousarray(image), frame)
            return
        height, width = image.shape[:2]
        for number, (x1, y1, x2, y2) in enumerate(boxes):
            left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
            right, bottom = min(width, math.ceil(x2)), min(height, math.ceil(y2))
            if right <= left or bottom <= top:
                raise ValueError(f'{self._source}: the box {[x1, y1, x2, y2]} of {path} has no pixel in the picture, '
                                 f'{width} wide and {height} high. Expected [x1, y1, x2, y2] in pixels with x1 < x2')
            yield Person(path, np.ascontiguousarray(image[top:bottom, left:right]), frame, (x1, y1, x2, y2), number)

    def _load(self, boxes: str | Path | Mapping) -> dict[str, list | dict]:
        if not isinstance(boxes, Mapping):
            if not Path(boxes).is_file():
                raise FileNotFoundError(f'{boxes}: no such file; expected a JSON file {EXAMPLE}')
            try:
                boxes = json.loads(Path(boxes).read_text(encoding='utf-8-sig'))
            except ValueError as error:
                raise ValueError(f'{boxes} is no JSON ({error}); expected {EXAMPLE}') from None
        try:
            return {str(file): {int(frame): _rows(rows) for frame, rows in content.items()}
                    if isinstance(content, Mapping) else _rows(content) for file, content in boxes.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f'{self._source}: not boxes of persons by file ({error}); expected {EXAMPLE}') from None


def _rows(rows: list) -> list[tuple[float, ...]]:
    out = [tuple(float(value) for value in row) for row in rows]
    if any(len(row) != 4 or not all(map(math.isfinite, row)) for row in out):
        raise ValueError(f'in {rows} is one without four numbers')
    return out
