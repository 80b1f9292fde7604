"""Images in place of event frames, for a CNN that looks through a usual camera."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS

from ..events import EventFileError
from ..image_reader import read_image


@TRANSFORMS.register_module()
class LoadFrameImages(BaseTransform):
    """Read the images that a CNN looks at.

    Required: ``frame_files`` (moment -> file), ``file``. Added: ``frames`` (float32, **Shape** [F, C, H, W]),
    ``image_shape``.

    Args:
        color: ``'rgb'``, three channels from 0 to 1; or ``'grey'``, one channel from 0 to 255, as published.
        at: Moments: ``('start',)``, or ``('start', 'stop')`` for a loss between states at both ends of a window.

    Raises:
        EventFileError: There is no image of a moment.
        ImageReadError: An image cannot be read.
    """

    def __init__(self, color: str = 'rgb', at: tuple[str, ...] = ('start',)) -> None:
        if color not in ('rgb', 'grey') or not at or not set(at) <= {'start', 'stop'}:
            raise ValueError(f"LoadFrameImages: color={color!r} and at={at!r}, expected color 'rgb' or 'grey', and at "
                             "of 'start' and 'stop'")
        self.color, self.at = color, at

    def transform(self, results: dict) -> dict:
        files = results['frame_files']
        for name in self.at:
            if name not in files:
                raise EventFileError(results['file'], f'there is no {self.color} image of {results[name] / 1000:g} ms, '
                                     f'the {name} of a window; let windows begin where images are (step_ms, '
                                     'random_start_ms)')
        frames = np.stack([self._read(files[name]) for name in self.at])
        results['frames'], results['image_shape'] = frames, frames.shape[-2:]
        return results

    def _read(self, file: str) -> np.ndarray:
        image = read_image(file)  # [H, W, 3], BGR
        if self.color == 'grey':
            return image[None, ..., 0].astype(np.float32)
        return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)).astype(np.float32) / 255  # [3, H, W]

    def __repr__(self) -> str:
        return f'LoadFrameImages(color={self.color!r}, at={self.at})'
