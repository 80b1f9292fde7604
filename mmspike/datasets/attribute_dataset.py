"""Images of pedestrians with attributes, named by an annotation file."""
import logging
import os
from collections.abc import Callable, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmspike.registry import DATASETS, TRANSFORMS

from .attributes.annotation import CONVERTER, UNKNOWN, Annotation, load_annotation
from .attributes.mapping import map_attributes
from .attributes.places import box_table, group_places, keypoint_table
from .image_reader import ImageReadError
from .missing import explain_missing
from .seeding import SharedState, load_or_replace, seeded

UNKNOWN_LABELS = ('mask', 'zero')


@DATASETS.register_module()
class AttributeDataset(BaseDataset):
    """Annotation file -> one dictionary per image of a split, through a pipeline.

    Each sample's augmentation is seeded by (seed, epoch, index), so that a resumed run repeats an unbroken one whatever
    the number of workers. In training an image that cannot be read is replaced by another, logged once and counted. In
    testing it is an error: figures over part of a test set cannot be compared with any other.

    ``metainfo``: ``dataset``; ``attributes``, ``groups`` and ``phrases``, one per column of the labels;
    ``group_places``, where on a person a group is looked for; ``positive_ratio``, the share of the known labels of this
    split that are positive. Boxes and keypoints of an image go into the pipeline as ``gt_bboxes`` (a row per attribute,
    a last one for the person) and ``gt_keypoints``.

    Args:
        ann_file: Annotation file, see ``mmspike.datasets.attributes``.
        data_prefix: ``dict(img=folder)`` that the images' paths start from.
        data_root: Folder that ``ann_file`` and ``data_prefix`` start from.
        split: One of the splits in the file.
        attributes: Names of attributes, to choose and order the columns; or a mapping file, to test on this data set
            what was trained on another, see ``mmspike.datasets.attributes.mapping``. ``None`` takes all.
        unknown: What unknown labels become: ``'mask'`` keeps them as -1, for loss and metric to leave out;
            ``'zero'`` makes them 0.
        pipeline: Transforms, or their configs.
        seed: Seed of the augmentation.
        test_mode: Never replace a sample.
        max_refetch: So many different images in a row may fail in training.
        **kwargs: Of ``mmengine.dataset.BaseDataset``.

    Raises:
        FileNotFoundError: The annotation file or the images' folder is missing.
        ValueError: An annotation that cannot be used, or a split that it does not have.
    """

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict | None = None,
                 data_root: str = '',
                 split: str = 'train',
                 attributes: str | Sequence[str] | None = None,
                 unknown: str = 'mask',
                 pipeline: Sequence[dict | Callable] = (),
                 seed: int = 0,
                 test_mode: bool = False,
                 max_refetch: int = 20,
                 **kwargs) -> None:
        data_prefix = dict(img='') if data_prefix is None else data_prefix
        if list(data_prefix) != ['img']:
            raise ValueError(f"data_prefix has the keys {list(data_prefix)}, expected dict(img='folder of images')")
        if unknown not in UNKNOWN_LABELS:
            raise ValueError(f"unknown={unknown!r}: expected 'mask' (unknown labels stay -1) or 'zero'")
        self.split, self.attributes, self.unknown, self.seed = split, attributes, unknown, seed
        self._shared = SharedState()
        # Built here: mmengine would look the names up in whatever scope is the default one
        pipeline = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, data_root=data_root, pipeline=pipeline,
                         test_mode=test_mode, max_refetch=max_refetch, **kwargs)

    def full_init(self) -> None:
        """Read the annotation; called by the constructor unless ``lazy_init``."""
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
        """Returns one dictionary per image: ``img_path, gt_score``, and ``person_id``, ``domain`` where known."""
        annotation = load_annotation(self.ann_file)
        if self.attributes is not None:
            annotation = map_attributes(annotation, self.attributes, self.ann_file)
        rows = self._rows(annotation)
        if self.unknown == 'zero':
            annotation.labels[annotation.labels == UNKNOWN] = 0
        attributes = annotation.attributes
        self._metainfo.update(
            dataset=annotation.dataset, attributes=tuple(a.name for a in attributes),
            groups=tuple(a.group for a in attributes), phrases=tuple(a.phrase for a in attributes),
            group_places=group_places(annotation.groups, self.ann_file),
            positive_ratio=annotation.positive_ratio(self.split))
        folder, labels = self.data_prefix['img'] or '', annotation.labels.tolist()
        extras = dict(annotation.extras)
        if 'id' in extras:
            extras['person_id'] = extras.pop('id')
        data = [dict(img_path=os.path.join(folder, annotation.files[row]), gt_score=labels[row],
                     **{key: values[row] for key, values in extras.items() if values[row] is not None})
                for row in rows.tolist()]
        self._check_folder(folder, data)
        return data

    def _rows(self, annotation: Annotation) -> np.ndarray:
        if self.split not in annotation.splits:
            raise ValueError(f'{self.ann_file} has no split {self.split!r}, it has '
                             f'{", ".join(map(repr, annotation.splits))}. Set split= of the dataset to one of them')
        rows = annotation.splits[self.split]
        if not len(rows):
            raise ValueError(f'{self.ann_file}: the split {self.split!r} is empty. Set split= of the dataset to '
                             f'another of {", ".join(map(repr, annotation.splits))}')
        return rows

    def _check_folder(self, folder: str, data: list[dict]) -> None:
        wrong = explain_missing(folder, [entry['img_path'] for entry in data], 'images')
        if wrong:
            raise FileNotFoundError(f'{self.ann_file} lists {len(data)} images as {self.split!r}, but {wrong}. Set '
                                    "data_root and data_prefix=dict(img='...') of the dataset to where the images are")

    def get_data_info(self, idx: int) -> dict:
        """The entry of a sample, with ``sample_idx``; ``gt_score``, boxes and keypoints as float32."""
        info = super().get_data_info(idx)
        info['gt_score'] = np.array(info['gt_score'], np.float32)
        if 'boxes' in info:
            info['gt_bboxes'] = box_table(info.pop('boxes'), self.metainfo['attributes'], info['img_path'])
        if 'keypoints' in info:
            info['gt_keypoints'] = keypoint_table(info.pop('keypoints'), info['img_path'])
        return info

    def prepare_data(self, idx: int) -> dict:
        """A sample through the pipeline.

        Raises:
            ImageReadError: The image cannot be read, or, in training, a transform gave ``None`` for it.
            ValueError: In testing, a transform gave ``None``.
        """
        info = self.get_data_info(idx)
        path = info['img_path']
        sample = self.pipeline(info)
        if sample is not None:
            return sample
        if self.test_mode:
            raise ValueError(f'{path}: a transform of the pipeline gave None, expected a sample: no image is left out '
                             'of a test. Let the transform return its results')
        raise ImageReadError(path, 'a transform of the pipeline gave None for it')

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        with seeded(self.seed, self._shared.epoch, idx):
            if self.test_mode:
                return self._load_for_test(idx)
            return load_or_replace(
                self.prepare_data, idx, ImageReadError, self._note, len(self), self.max_refetch,
                f'The annotation {self.ann_file} or the folder {self.data_prefix["img"] or "(none: paths as listed)"} '
                f'looks wrong; {CONVERTER} --check opens every image and says which fail')

    def _load_for_test(self, idx: int) -> dict:
        try:
            return self.prepare_data(idx)
        except ImageReadError as error:
            raise ImageReadError(error.path, (
                f'{error.why}. It belongs to the split {self.split!r} of {self.ann_file}, and no image is left out of '
                f'a test: restore the file, or make the annotation anew with {CONVERTER} --check --skip-unreadable, '
                'which leaves such images out and says so')) from error

    def _note(self, idx: int, error: ImageReadError) -> None:
        if self._shared.fails_first(idx):
            print_log(f'{error}; replaced by another ({self.num_unreadable} of {len(self)} samples of '
                      f'{self.ann_file} so far)', logger='current', level=logging.WARNING)
