"""Reads an image file as colour, whatever its mode, or says what is wrong with it."""
import os

import numpy as np
from PIL import Image, ImageOps


class ImageReadError(RuntimeError):
    """An image file that cannot be read.

    Args:
        path: The file.
        why: What is wrong with it.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f'cannot read image {path}: {why}')
        self.path, self.why = path, why

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.why)


def read_image(path: str) -> np.ndarray:
    """Read an image of any mode (grey, 16 bit, palette, RGBA, CMYK), turned upright by its EXIF tag.

    By PIL, which, unlike OpenCV, says so where a file is cut off. An alpha channel is dropped, not blended.

    Returns:
        uint8, BGR as everywhere in mmcv's transforms. **Shape** [H, W, 3].

    Raises:
        ImageReadError: The file is missing, empty, cut off or no image.
    """
    if not os.path.isfile(path):
        raise ImageReadError(path, 'there is no such file')
    if not os.path.getsize(path):
        raise ImageReadError(path, 'the file is empty (0 bytes)')
    try:
        with Image.open(path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith('I'):  # 16 bit grey, which convert() would clip to 8 bit instead of scaling it
                image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])
    except Exception as error:  # PIL's decoders raise errors of any kind
        raise ImageReadError(path, f'it cannot be decoded ({str(error) or type(error).__name__})') from error
