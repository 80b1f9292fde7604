"""Videos, or folders of frames, named by a list file."""
import os
from collections.abc import Sequence

import numpy as np

from mmspike.registry import DATASETS

from .file_dataset import FileDataset
from .video_list import read_classes, read_video_list
from .video_reader import VideoReadError


@DATASETS.register_module()
class VideoDataset(FileDataset):
    """List file -> one dictionary per video (or window of a video), through a pipeline.

    In testing a video that cannot be read comes as grey frames with ``unreadable`` in its data sample, and the metric
    counts it as wrong.

    Args:
        ann_file: List of ``path label`` or ``path num_frames label``, see ``read_video_list``.
        data_prefix: ``dict(video=folder)`` that the listed paths start from.
        data_root: Folder that ``ann_file``, ``data_prefix`` and ``classes`` start from.
        delimiter: What separates the fields of the list; ``None`` is any white space.
        classes: Class names, or a file with one per line. ``None`` takes ``classes.txt``
            beside the list where there is one.
        filename_tmpl: Listed paths are folders of frames of this name, such as ``'img_{:05}.jpg'``.
        window: One sample for each whole window of that many frames that does not overlap another;
            needs the numbers of frames in the list.
        **kwargs: Of ``FileDataset`` (``pipeline``, ``test_mode``, ...).

    Raises:
        FileNotFoundError: The list, its class file, or the videos' folder is missing.
        ValueError: Rows of the list that cannot be used.
    """

    KIND, PREFIX, PATH, READ_ERROR = 'video', 'video', 'filename', VideoReadError
    LOOKS_WRONG = 'the converters in tools/dataset_converters open every video with --check and say which fail'

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict | None = None,
                 data_root: str = '',
                 delimiter: str | None = None,
                 classes: str | Sequence[str] | None = None,
                 filename_tmpl: str | None = None,
                 window: int | None = None,
                 **kwargs) -> None:
        self.delimiter, self.classes, self.filename_tmpl, self.window = delimiter, classes, filename_tmpl, window
        super().__init__(ann_file, data_prefix, data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Returns one dictionary per sample: ``filename, label, line`` and, where known, ``total_frames``,
        ``window_start``."""
        if not os.path.isfile(self.ann_file):
            raise FileNotFoundError(_missing_list(self.ann_file))
        classes = self._load_classes()
        rows = read_video_list(self.ann_file, self.delimiter, len(classes) if classes else None,
                               raw_frames=self.filename_tmpl is not None)
        for row in rows:
            row['filename'] = os.path.join(self.folder, row['filename'])
        self.check_folder(rows, 'videos', 'Listed paths start from data_root/data_prefix: set data_root and '
                          "data_prefix=dict(video='...') of the dataset to where the videos are, or make the list anew "
                          'with tools/dataset_converters')
        return rows if self.window is None else self._cut_in_windows(rows)

    def _load_classes(self) -> tuple[str, ...]:
        classes = self.classes
        if classes is None:
            classes = self._metainfo.get('classes') or ()
            beside = os.path.join(os.path.dirname(self.ann_file), 'classes.txt')
            if not classes and os.path.isfile(beside):
                classes = beside
        elif isinstance(classes, str):
            classes = os.path.join(self.data_root or '', classes)
        classes = read_classes(classes) if isinstance(classes, str) else tuple(classes)
        if classes:
            self._metainfo['classes'] = classes
        return classes

    def _cut_in_windows(self, rows: list[dict]) -> list[dict]:
        samples = []
        for row in rows:
            if 'total_frames' not in row:
                raise ValueError(f'{self.ann_file}:{row["line"]}: window={self.window} needs "path num_frames label" '
                                 'rows; make the list with tools/dataset_converters (hmdb51.py and ucf101.py count '
                                 'frames; kinetics.py does with --check), or set window=None')
            whole = max(1, row['total_frames'] // self.window)
            samples += [dict(row, window_start=k * self.window) for k in range(whole)]
        return samples

    def get_data_info(self, idx: int) -> dict:
        """The entry of a sample, with ``sample_idx``."""
        info = super().get_data_info(idx)
        if self.filename_tmpl is not None:
            info['filename_tmpl'] = self.filename_tmpl
        return info

    def load_unreadable(self, idx: int, error: VideoReadError) -> dict:
        """Grey frames, and in the data sample what was wrong."""
        self.note(idx, error)
        info = self.get_data_info(idx)
        reader = GreyVideo(info.get('total_frames', GreyVideo.NUM_FRAMES))
        return self.run_pipeline(dict(info, unreadable=str(error), video_reader=reader))


class GreyVideo:
    """Stands in for a video that cannot be read, so that its sample has the shape of any other."""

    NUM_FRAMES = 64

    def __init__(self, num_frames: int) -> None:
        self.num_frames = num_frames

    def __len__(self) -> int:
        return self.num_frames

    def read(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Grey frames of a usual size. **Shape** [256, 340, 3] each."""
        return [np.full((256, 340, 3), 128, np.uint8) for _ in indices]


def _missing_list(path: str) -> str:
    lowered = path.lower()
    converter = next((name for name in ('hmdb51', 'ucf101') if name in lowered), 'kinetics')
    return (f'the list {path} is missing. Make it with tools/dataset_converters/{converter}.py (see docs/datasets.md; '
            'a folder of your own with root/<class>/<video> goes through kinetics.py), or start without any data: '
            'python tools/train.py configs/respike/respike_r18_synthetic.py')
