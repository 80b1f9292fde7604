"""Videos, or folders of frames, named by a list file."""
import logging
import os
from collections.abc import Callable, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmspike.registry import DATASETS, TRANSFORMS

from .missing import explain_missing
from .seeding import SharedState, load_or_replace, seeded
from .video_list import read_classes, read_video_list
from .video_reader import VideoReadError


@DATASETS.register_module()
class VideoDataset(BaseDataset):
    """List file -> one dictionary per video (or window of a video), through a pipeline.

    Each sample's augmentation is seeded by (seed, epoch, index), so that a resumed run repeats an unbroken one whatever
    the number of workers. A video that cannot be read, or for which a transform gives ``None``, is replaced by another
    in training, logged once and counted. In testing a video that cannot be read comes as grey frames with
    ``unreadable`` in its data sample, and the metric counts it as wrong.

    Args:
        ann_file: List of ``path label`` or ``path num_frames label``, see ``read_video_list``.
        data_prefix: ``dict(video=folder)`` that the listed paths start from.
        data_root: Folder that ``ann_file``, ``data_prefix`` and ``classes`` start from.
        pipeline: Transforms, or their configs.
        delimiter: What separates the fields of the list; ``None`` is any white space.
        classes: Class names, or a file with one per line. ``None`` takes ``classes.txt``
            beside the list where there is one.
        filename_tmpl: Listed paths are folders of frames of this name, such as ``'img_{:05}.jpg'``.
        window: One sample for each whole window of that many frames that does not overlap another;
            needs the numbers of frames in the list.
        seed: Seed of the augmentation.
        test_mode: Never replace a sample.
        max_refetch: So many different videos in a row may fail in training.
        **kwargs: Of ``mmengine.dataset.BaseDataset``.

    Raises:
        FileNotFoundError: The list, its class file, or the videos' folder is missing.
        ValueError: Rows of the list that cannot be used.
    """

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict | None = None,
                 data_root: str = '',
                 pipeline: Sequence[dict | Callable] = (),
                 delimiter: str | None = None,
                 classes: str | Sequence[str] | None = None,
                 filename_tmpl: str | None = None,
                 window: int | None = None,
                 seed: int = 0,
                 test_mode: bool = False,
                 max_refetch: int = 20,
                 **kwargs) -> None:
        data_prefix = dict(video='') if data_prefix is None else data_prefix
        if list(data_prefix) != ['video']:
            raise ValueError(f"data_prefix has the keys {list(data_prefix)}, expected dict(video='folder of videos')")
        self.delimiter, self.classes, self.filename_tmpl = delimiter, classes, filename_tmpl
        self.window, self.seed = window, seed
        self._shared = SharedState()
        # Built here: mmengine would look the names up in whatever scope is the default one
        pipeline = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, data_root=data_root, pipeline=pipeline,
                         test_mode=test_mode, max_refetch=max_refetch, **kwargs)

    def full_init(self) -> None:
        """Read the list; called by the constructor unless ``lazy_init``."""
        if not self._fully_initialized:
            super().full_init()
            self._shared.set_length(len(self))

    def set_epoch(self, epoch: int) -> None:
        """Choose the augmentation of an epoch, in this process and in its workers."""
        self._shared.epoch = epoch

    @property
    def num_unreadable(self) -> int:
        """Different samples that could not be read so far, in this process and its workers."""
        return self._shared.num_unreadable

    def load_data_list(self) -> list[dict]:
        """Returns one dictionary per sample: ``filename, label, line`` and, where known, ``total_frames``,
        ``window_start``."""
        if not os.path.isfile(self.ann_file):
            raise FileNotFoundError(_missing_list(self.ann_file))
        classes = self._load_classes()
        rows = read_video_list(self.ann_file, self.delimiter, len(classes) if classes else None,
                               raw_frames=self.filename_tmpl is not None)
        folder = self.data_prefix['video']
        for row in rows:
            row['filename'] = os.path.join(folder, row['filename'])
        self._check_folder(folder, rows)
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

    def _check_folder(self, folder: str, rows: list[dict]) -> None:
        wrong = explain_missing(folder, [row['filename'] for row in rows], 'videos')
        if wrong:
            raise FileNotFoundError(
                f'{self.ann_file} lists {len(rows)} videos, but {wrong}. Listed paths start from data_root/data_prefix'
                ": set data_root and data_prefix=dict(video='...') of the dataset to where the videos are, or make the "
                'list anew with tools/dataset_converters')

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

    def prepare_data(self, idx: int) -> dict:
        """A sample through the pipeline.

        Raises:
            VideoReadError: The video cannot be read, or, in training, a transform gave ``None`` for it.
            ValueError: In testing, a transform gave ``None``.
        """
        return self._run_pipeline(self.get_data_info(idx))

    def _run_pipeline(self, info: dict) -> dict:
        filename = info['filename']
        sample = self.pipeline(info)
        if sample is not None:
            return sample
        if self.test_mode:
            raise ValueError(f'{filename}: a transform of the pipeline gave None, expected a sample: no video is left '
                             'out of a test. Let the transform return its results, or raise VideoReadError (then the '
                             'video counts as wrong)')
        raise VideoReadError(filename, 'a transform of the pipeline gave None for it')

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        with seeded(self.seed, self._shared.epoch, idx):
            if self.test_mode:
                return self._load_for_test(idx)
            return load_or_replace(
                self.prepare_data, idx, VideoReadError, self._note, len(self), self.max_refetch,
                f'The list {self.ann_file} or the folder {self.data_prefix["video"] or "(none: paths as listed)"} '
                'looks wrong; the converters in tools/dataset_converters open every video with --check and say which '
                'fail')

    def _load_for_test(self, idx: int) -> dict:
        try:
            return self.prepare_data(idx)
        except VideoReadError as error:
            self._note(idx, error)
            info = self.get_data_info(idx)
            reader = GreyVideo(info.get('total_frames', GreyVideo.NUM_FRAMES))
            return self._run_pipeline(dict(info, unreadable=str(error), video_reader=reader))

    def _note(self, idx: int, error: VideoReadError) -> None:
        if not self._shared.fails_first(idx):
            return
        fate = 'counted as wrong' if self.test_mode else 'replaced by another'
        print_log(f'{error}; {fate} ({self.num_unreadable} of {len(self)} samples of {self.ann_file} so far)',
                  logger='current', level=logging.WARNING)


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
