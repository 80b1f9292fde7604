"""Augmentations for clips whose class a flip would change: all frames of a clip alike."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomWrapShift(BaseTransform):
    """Shift a clip by a random whole number of pixels; what leaves at one edge enters at the other.

    Keeps every motion, its direction included, for scenes that are periodic (``SyntheticActions``).

    Reads and writes ``imgs``, a sequence of T arrays ``[H, W, C]``.
    """

    def transform(self, results: dict) -> dict:
        height, width = results['imgs'][0].shape[:2]
        shift = np.random.randint(height), np.random.randint(width)
        results['imgs'] = [np.roll(frame, shift, axis=(0, 1)) for frame in results['imgs']]
        return results

    def __repr__(self) -> str:
        return 'RandomWrapShift()'


@TRANSFORMS.register_module()
class RandomChannelPermutation(BaseTransform):
    """Permute the colour channels of a clip.

    Reads and writes ``imgs``, a sequence of T arrays ``[H, W, C]``.
    """

    def transform(self, results: dict) -> dict:
        order = np.random.permutation(results['imgs'][0].shape[-1])
        results['imgs'] = [frame[..., order] for frame in results['imgs']]
        return results

    def __repr__(self) -> str:
        return 'RandomChannelPermutation()'
