"""Transforms for images of one person each."""
import cv2
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS

from ..image_reader import read_image


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Read an image of any mode as colour.

    Required: ``img_path``. Added: ``img`` (uint8, BGR, **Shape** [H, W, 3]), ``img_shape``, ``ori_shape``.

    Raises:
        ImageReadError: The file cannot be read; the data set then knows what to do.
    """

    def transform(self, results: dict) -> dict:
        results['img'] = read_image(results['img_path'])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return 'LoadImage()'


@TRANSFORMS.register_module()
class PadToSquare(BaseTransform):
    """Pad the shorter side of an image, evenly at both ends.

    Reads and writes ``img``, **Shape** [H, W, 3] -> [S, S, 3] with S = max(H, W), and ``img_shape``.

    Args:
        pad_val: Value of the border in all channels.
    """

    def __init__(self, pad_val: int = 0) -> None:
        self.pad_val = pad_val

    def transform(self, results: dict) -> dict:
        height, width = results['img'].shape[:2]
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        results['img'] = cv2.copyMakeBorder(results['img'], top, side - height - top, left, side - width - left,
                                            cv2.BORDER_CONSTANT, value=(self.pad_val,) * 3)
        results['img_shape'] = side, side
        return results

    def __repr__(self) -> str:
        return f'PadToSquare(pad_val={self.pad_val})'
