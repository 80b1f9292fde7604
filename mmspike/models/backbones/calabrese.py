"""The CNN that DHP19 was published with."""
from collections.abc import Iterator

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.registry import MODELS

# Name, width in units of base_channels, dilation; the published names, in order
BEFORE_POOL2 = (('conv2a', 2, 1), ('conv2b', 2, 1), ('conv2d', 2, 1))
MIDDLE = (('conv3a', 4, 2), ('conv3b', 4, 2), ('conv3c', 4, 2), ('conv3d', 4, 2))
AFTER_UP3 = (('conv4a', 2, 2), ('conv4b', 2, 2), ('conv4c', 2, 2), ('conv4d', 2, 2))
AFTER_UP4 = (('conv5a', 1, 1), ('conv5d', 1, 1))


@MODELS.register_module()
class CalabreseCNN(BaseModule):
    """Small CNN with dilated convolutions, from one grey image of events to one map per joint.

    Seventeen 3x3 convolutions without bias, a ReLU after each (the last one too); two poolings and two transposed
    convolutions.

    Args:
        in_channels: of a frame.
        out_channels: joints.
        base_channels: width of the first layer; 16 is the published one.
        init_cfg: mmengine's; by default as published (Glorot uniform).

    Shape:
        ``[N, in_channels, H, W]`` -> maps ``[N, out_channels, H, W]``; H and W are multiples of 4.

    Raises:
        ValueError: a frame of another size or number of channels.

    Source: Calabrese et al. 2019, DHP19 (CVPR workshops).
    Differs: nothing. Keras pads a transposed convolution of stride 2 at its end only.
    """

    reads = 'frames'
    size_divisor = 4

    def __init__(self,
                 in_channels: int = 1,
                 out_channels: int = 13,
                 base_channels: int = 16,
                 init_cfg: dict | None = dict(  # noqa: B006  (a config, never changed)
                     type='Xavier', layer=['Conv2d', 'ConvTranspose2d'], distribution='uniform')):
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, base_channels, 3, padding=1, bias=False)
        width = base_channels
        for stage, up in ((BEFORE_POOL2, None), (MIDDLE, 'conv3_up'), (AFTER_UP3, 'conv4_up'), (AFTER_UP4, None)):
            for name, factor, dilation in stage:
                conv = nn.Conv2d(width, factor * base_channels, 3, padding=dilation, dilation=dilation, bias=False)
                self.add_module(name, conv)
                width = factor * base_channels
            if up is not None:
                self.add_module(up, nn.ConvTranspose2d(width, width // 2, 3, stride=2, bias=False))
                width //= 2
        self.pred_cube = nn.Conv2d(width, out_channels, 3, padding=1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        self._check(frames)
        x = F.max_pool2d(self.conv1(frames).relu(), 2)
        x = F.max_pool2d(self._convolve(x, BEFORE_POOL2), 2)
        x = self._enlarge(self._convolve(x, MIDDLE), self.conv3_up)
        x = self._enlarge(self._convolve(x, AFTER_UP3), self.conv4_up)
        return self.pred_cube(self._convolve(x, AFTER_UP4)).relu()

    def _convolve(self, x: Tensor, stage: tuple) -> Tensor:
        for conv in self._layers(stage):
            x = conv(x).relu()
        return x

    def _layers(self, stage: tuple) -> Iterator[nn.Module]:
        return (getattr(self, name) for name, *_ in stage)

    @staticmethod
    def _enlarge(x: Tensor, conv: nn.ConvTranspose2d) -> Tensor:
        """``[N, C, H, W]`` -> ``[N, C/2, 2H, 2W]``: of the 2H + 1 rows and columns, Keras keeps the first 2H."""
        return conv(x)[..., :-1, :-1].relu()

    def _check(self, frames: Tensor) -> None:
        if frames.ndim != 4 or frames.shape[1] != self.in_channels or any(n % 4 for n in frames.shape[2:]):
            raise ValueError(f'CalabreseCNN: expected frames [N, {self.in_channels}, H, W] with H and W multiples of '
                             f"4, got {list(frames.shape)}. Make them by EventsToFrames(kind='image'); the "
                             'preprocessor pads them (model.data_preprocessor.size_divisor=4).')
