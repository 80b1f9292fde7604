"""Spatial pyramid pooling."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POOLS = dict(max=(F.adaptive_max_pool2d, F.max_pool2d), avg=(F.adaptive_avg_pool2d, F.avg_pool2d))


class PyramidPooling(nn.Module):
    """A map in parts of 1x1, 2x2..., each part pooled.

    Args:
        levels: parts per side, level by level.
        mode: ``'max'`` or ``'avg'``.
        legacy: where a side is no multiple of the level, pad it with zeros, which are pooled too, so that a part that
            is negative everywhere gives 0; by default parts of such a side overlap by a row and nothing is padded.

    Shape:
        ``[B, C, H, W]`` -> ``[B, C * sum(level ** 2)]``: level after level, in each channel after channel.

    Source: "Spatial Pyramid Pooling in Deep Convolutional Networks" (arXiv 1406.4729), as in the published SSPNet.
    Differs: nothing is padded.
    """

    def __init__(self, levels: Sequence[int] = (1, 2), mode: str = 'max', legacy: bool = False):
        super().__init__()
        if mode not in POOLS:
            raise ValueError(f'PyramidPooling: mode={mode!r}; expected one of {", ".join(map(repr, POOLS))}.')
        if not levels or min(levels) < 1:
            raise ValueError(f'PyramidPooling: levels={levels}; expected parts per side, such as (1, 2).')
        self.levels, self.mode, self.legacy = tuple(levels), mode, legacy

    @property
    def num_parts(self) -> int:
        """Values per channel."""
        return sum(level**2 for level in self.levels)

    def forward(self, x: Tensor) -> Tensor:
        pool = self._padded if self.legacy else POOLS[self.mode][0]
        return torch.cat([pool(x, level).flatten(1) for level in self.levels], 1)

    def _padded(self, x: Tensor, level: int) -> Tensor:
        sizes = x.shape[-2:]
        kernel = [-(-size // level) for size in sizes]
        (top, left), (bottom, right) = zip(*(((k * level - n) // 2, -((n - k * level) // 2))
                                             for k, n in zip(kernel, sizes, strict=True)), strict=True)
        return POOLS[self.mode][1](F.pad(x, (left, right, top, bottom)), kernel, kernel)
