"""From the data loader's bytes to normalised clips."""
from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmspike.registry import MODELS


@MODELS.register_module()
class ClipDataPreprocessor(BaseDataPreprocessor):
    """Stack clips, move them to the device as bytes, put the axes in order, normalise there.

    Args:
        mean: per colour channel (RGB), on the scale 0-255.
        std: likewise.
        legacy: normalise as the published Kinetics loader does, by mistake: it takes the frame axis for the colour
            axis, so that all channels of frame t get mean and std of colour ``t mod 3``, and the ``T mod 3`` last
            frames stay on the scale 0-1. For parity with models that were trained so.

    Shape:
        ``inputs``: a list of B tensors uint8 ``[V, T, H, W, 3]`` -> float ``[B*V, T, 3, H, W]``.

    Raises:
        ValueError: where the clips of a batch differ in shape.

    Source: ReSpike (arXiv 2409.01564), published loaders.
    Differs: normalises per colour channel, unless ``legacy``.
    """

    def __init__(self,
                 mean: Sequence[float] = (123.675, 116.28, 103.53),
                 std: Sequence[float] = (58.395, 57.12, 57.375),
                 legacy: bool = False,
                 non_blocking: bool = False):
        super().__init__(non_blocking)
        self.legacy = legacy
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32), persistent=False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float32), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        clips = data['inputs']
        shapes = {tuple(clip.shape) for clip in clips}
        if len(shapes) > 1:
            raise ValueError(f'ClipDataPreprocessor: the clips of one batch have the shapes {sorted(shapes)} '
                             '[views, frames, height, width, 3]. End the pipeline with a crop or a resize to one '
                             'size and sample a fixed number of frames, or use batch_size=1.')
        data = self.cast_data(dict(data, inputs=torch.stack(tuple(clips))))
        clips = data['inputs'].flatten(0, 1).permute(0, 1, 4, 2, 3)  # [B*V, T, 3, H, W]
        # One pass that changes type and axis order at once; the rest works in place
        clips = self.mean.new_empty(clips.shape).copy_(clips)
        return dict(data, inputs=self._legacy(clips) if self.legacy else self._normalise(clips))

    def _normalise(self, clips: Tensor) -> Tensor:
        return clips.sub_(self.mean[:, None, None]).div_(self.std[:, None, None])

    def _legacy(self, clips: Tensor) -> Tensor:
        clips.div_(255)
        frames = clips.shape[1] // 3 * 3
        colour = torch.arange(frames, device=clips.device) % 3
        mean, std = (y[colour, None, None, None] / 255 for y in (self.mean, self.std))
        clips[:, :frames].sub_(mean).div_(std)
        return clips
