"""The feature pyramid of SSPNet."""
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmspike.registry import MODELS


@MODELS.register_module()
class SSPNetNeck(BaseModule):
    """Feature pyramid, top-down, each sum smoothed by a 3x3 convolution.

    C_n -> 1x1 -> P_n;  up(sum above) + 1x1(C_i) -> sum -> 3x3 -> P_i

    The way down goes by the sums before they are smoothed. P_n, the coarsest, is not smoothed.

    Args:
        in_channels: of each map of the backbone, from the finest; ``None`` reads them from the backbone
            (``AttributeRecognizer`` does).
        out_channels: C of all outputs.

    Shape:
        n maps ``[B, in_channels[i], H_i, W_i]``, from the finest -> as many ``[B, C, H_i, W_i]``: P1 to Pn.

    Raises:
        ValueError: less than two maps, or another number or other channels than the neck is made for.

    Source: SSPNet (arXiv 2312.06049), after FPN (arXiv 1612.03144).
    Differs: nothing. The published code has the channels of ResNet-50 to -152 built in.
    """

    reads_channels = True  # of the backbone, where the config has none

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 out_channels: int = 256,
                 init_cfg: dict | list[dict] | None = dict(type='Kaiming', layer='Conv2d')):  # noqa: B006
        super().__init__(init_cfg)
        if in_channels is None or len(in_channels) < 2:
            raise ValueError(f'SSPNetNeck: in_channels={in_channels}; expected those of two or more maps of the '
                             'backbone, from the finest. Let the backbone return them: out_indices=(0, 1, 2, 3).')
        self.in_channels, self.out_channels = tuple(in_channels), out_channels
        *finer, coarsest = in_channels
        self.top = nn.Conv2d(coarsest, out_channels, 1)
        self.laterals = nn.ModuleList(nn.Conv2d(channels, out_channels, 1) for channels in finer)
        self.smooths = nn.ModuleList(nn.Conv2d(out_channels, out_channels, 3, padding=1) for _ in finer)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        if tuple(x.shape[1] for x in features) != self.in_channels:
            raise ValueError(f'SSPNetNeck: the backbone gives {[list(x.shape) for x in features]}, expected '
                             f'{len(self.in_channels)} maps of {self.in_channels} channels. Set backbone.out_indices, '
                             'or leave neck.in_channels out.')
        total = self.top(features[-1])
        outputs = [total]
        for x, lateral, smooth in zip(features[-2::-1], self.laterals[::-1], self.smooths[::-1], strict=True):
            total = upsample_add(total, lateral(x))
            outputs.append(smooth(total))
        return tuple(outputs[::-1])


def upsample_add(coarse: Tensor, fine: Tensor) -> Tensor:
    """``coarse`` stretched to the size of ``fine``, bilinearly, plus ``fine``."""
    return F.interpolate(coarse, fine.shape[-2:], mode='bilinear', align_corners=False) + fine
