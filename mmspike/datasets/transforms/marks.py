"""Boxes and keypoints of a person, kept where they are on the image."""
import numpy as np
import torch
from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.datasets.transforms import RandomCrop as _RandomCrop

from mmspike.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PersonCrop(_RandomCrop):
    """``mmpretrain.RandomCrop`` that moves ``gt_bboxes`` [N, 4] and ``gt_keypoints`` [1, K, 3] along.

    Keypoints that leave the image are no longer visible. The crops are the same as without marks.

    Args:
        crop_size: Height and width.
        padding: Pixels of black border on each side, before the crop.
    """

    def __init__(self, crop_size: tuple[int, int], padding: int = 0) -> None:
        super().__init__(tuple(crop_size), padding or None)

    def transform(self, results: dict) -> dict:
        self.origin = np.zeros(2, np.float32)
        results = super().transform(results)
        height, width = results['img_shape'][:2]
        if results.get('gt_bboxes') is not None:
            boxes = results['gt_bboxes'] + np.tile(self.origin, 2)
            results['gt_bboxes'] = boxes.clip(0, np.array([width, height] * 2, np.float32))
        if results.get('gt_keypoints') is not None:
            points = results['gt_keypoints'].copy()
            points[..., :2] += self.origin
            inside = ((points[..., :2] >= 0) & (points[..., :2] < [width, height])).all(-1)
            points[..., 2] *= inside
            results['gt_keypoints'] = points
        return results

    def rand_crop_params(self, img: np.ndarray) -> tuple[int, int, int, int]:
        """Rows and columns to keep; notes where the old corner comes to lie."""
        top, left, height, width = super().rand_crop_params(img)
        self.origin = np.array([(self.padding or 0) - left, (self.padding or 0) - top], np.float32)
        return top, left, height, width


@TRANSFORMS.register_module()
class PackPerson(PackInputs):
    """``mmpretrain.PackInputs`` with what is known of the person.

    Added to the data sample where there is such: ``keypoints`` [K, 3] (x and y in pixels of the packed image, visible),
    ``boxes`` [A + 1, 4] (one per attribute and one of the person, NaN where there is none), and in its metainfo
    ``domain`` and ``person_id``.
    """

    def __init__(self) -> None:
        super().__init__(algorithm_keys=('keypoints', 'boxes'),
                         meta_keys=(*PackInputs.DEFAULT_META_KEYS, 'domain', 'person_id'))

    def transform(self, results: dict) -> dict:
        if results.get('gt_keypoints') is not None:
            results['keypoints'] = torch.from_numpy(results['gt_keypoints'][0].astype(np.float32))
        if results.get('gt_bboxes') is not None:
            results['boxes'] = torch.from_numpy(results['gt_bboxes'].astype(np.float32))
        return super().transform(results)

    def __repr__(self) -> str:
        return 'PackPerson()'
