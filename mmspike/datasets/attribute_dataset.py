"""Images of pedestrians with attributes, named by an annotation file."""
import os
from collections.abc import Sequence

import numpy as np

from mmspike.registry import DATASETS

from .attributes.annotation import CONVERTER, UNKNOWN, Annotation, load_annotation
from .attributes.mapping import map_attributes
from .attributes.places import box_table, group_places, keypoint_table
from .file_dataset import FileDataset
from .image_reader import ImageReadError

UNKNOWN_LABELS = ('mask', 'zero')
TAKEN = {'img_path', 'gt_score', 'sample_idx', 'img', 'img_shape', 'ori_shape', 'gt_bboxes', 'gt_keypoints'}


@DATASETS.register_module()
class AttributeDataset(FileDataset):
    """Annotation file -> one dictionary per image of a split, through a pipeline.

    In testing an image that cannot be read is an error: figures over part of a test set cannot be compared with any
    other.

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
        **kwargs: Of ``FileDataset`` (``pipeline``, ``test_mode``, ...).

    Raises:
        FileNotFoundError: The annotation file or the images' folder is missing.
        ValueError: An annotation that cannot be used, or a split that it does not have.
    """

    KIND, PREFIX, PATH, READ_ERROR = 'image', 'img', 'img_path', ImageReadError
    LOOKS_WRONG = f'{CONVERTER} --check opens every image and says which fail'

    def __init__(self, ann_file: str, data_prefix: dict | None = None, data_root: str = '', split: str = 'train',
                 attributes: str | Sequence[str] | None = None, unknown: str = 'mask', **kwargs) -> None:
        if unknown not in UNKNOWN_LABELS:
            raise ValueError(f"unknown={unknown!r}: expected 'mask' (unknown labels stay -1) or 'zero'")
        self.split, self.attributes, self.unknown = split, attributes, unknown
        super().__init__(ann_file, data_prefix, data_root, **kwargs)

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
        labels = annotation.labels.tolist()
        extras = dict(annotation.extras)
        if 'id' in extras:
            extras['person_id'] = extras.pop('id')
        if taken := sorted(TAKEN & set(extras)):
            raise ValueError(f'{self.ann_file}: images have the key {taken[0]!r}, which samples have for something '
                             'else. Rename it in the file')
        data = [dict(img_path=os.path.join(self.folder, annotation.files[row]), gt_score=labels[row],
                     **{key: values[row] for key, values in extras.items() if values[row] is not None})
                for row in rows.tolist()]
        self.check_folder(data, f'images as {self.split!r}', "Set data_root and data_prefix=dict(img='...') of the "
                          'dataset to where the images are')
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

    def get_data_info(self, idx: int) -> dict:
        """The entry of a sample, with ``sample_idx``; ``gt_score``, boxes and keypoints as float32."""
        info = super().get_data_info(idx)
        info['gt_score'] = np.array(info['gt_score'], np.float32)
        if 'boxes' in info:
            info['gt_bboxes'] = box_table(info.pop('boxes'), self.metainfo['attributes'], info['img_path'])
        if 'keypoints' in info:
            info['gt_keypoints'] = keypoint_table(info.pop('keypoints'), info['img_path'])
        return info

    def load_unreadable(self, idx: int, error: ImageReadError) -> dict:
        """Raises: no image is left out of a test."""
        raise ImageReadError(error.path, (
            f'{error.why}. It belongs to the split {self.split!r} of {self.ann_file}, and no image is left out of a '
            f'test: restore the file, or make the annotation anew with {CONVERTER} --check --skip-unreadable, which '
            'leaves such images out and says so')) from error
