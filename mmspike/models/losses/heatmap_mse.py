"""Squared error of heat maps."""
from torch import Tensor, nn

from mmspike.registry import MODELS


@MODELS.register_module()
class HeatmapMSELoss(nn.Module):
    """Mean squared error over the pixels of the maps of those joints that have a label.

    Args:
        legacy: as published: a joint without a label counts like the others, as a map that has to be zero.
        loss_weight: factor.

    Shape:
        maps and target ``[..., K, H, W]``, visible ``[..., K]`` -> a number; 0 where no joint is visible.

    Source: hybrid ANN-SNN (arXiv 2303.14176), published training scripts.
    Differs: leaves joints without a label out, unless ``legacy``.
    """

    def __init__(self, legacy: bool = False, loss_weight: float = 1.0):
        super().__init__()
        self.legacy, self.loss_weight = legacy, loss_weight

    def forward(self, maps: Tensor, target: Tensor, visible: Tensor) -> Tensor:
        if maps.shape != target.shape or maps.shape[:-2] != visible.shape:
            raise ValueError(f'HeatmapMSELoss: maps {list(maps.shape)}, target {list(target.shape)} and visible '
                             f'{list(visible.shape)} do not fit; expected [..., K, H, W] twice and [..., K].')
        error = (maps - target).square()
        if self.legacy:
            return self.loss_weight * error.mean()
        counted = visible.to(error.dtype)
        # A batch without any label still has a graph through all maps: processes of one training must not differ
        return self.loss_weight * (error.mean((-2, -1)) * counted).sum() / counted.sum().clamp(min=1)

    def extra_repr(self) -> str:
        return f'legacy={self.legacy}, loss_weight={self.loss_weight}'
