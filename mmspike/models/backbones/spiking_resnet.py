"""Spiking residual network with membrane shortcuts."""
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers import conv_of_spikes, norm_and_fire, per_step
from mmspike.registry import MODELS

NEURON = dict(type='LIF', tau=4 / 3, v_threshold=1.0, v_reset=0.0, detach_reset=True, surrogate='atan', alpha=2.0)
NORM = dict(type='StepBatchNorm2d')


class SpikingBlock(BaseModule):
    """Pre-activation residual block: ``norm2(conv2(lif2(norm1(conv1(lif1(x)))))) + shortcut(x)``.

    Only the inputs of the two 3x3 convolutions are spikes. The shortcut carries the real-valued sums from block to
    block; where stride or width change, it averages, projects (1x1) and normalises.

    Shape:
        ``[T, B, in_channels, H, W]`` -> ``[T, B, out_channels, H/stride, W/stride]``.

    Source: MS-ResNet (arXiv 2112.08954), as built by ReSpike (arXiv 2409.01564).
    Differs: the published block fails where the width changes without a stride.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, neuron: dict, norm: dict):
        super().__init__()
        self.lif1 = MODELS.build(neuron)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = MODELS.build(dict(norm, num_features=out_channels))
        self.lif2 = MODELS.build(neuron)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = MODELS.build(dict(norm, num_features=out_channels))
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = Projection(in_channels, out_channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        y = conv_of_spikes(self.conv1, self.lif1, self.lif1(x))
        y = conv_of_spikes(self.conv2, self.lif2, norm_and_fire(self.norm1, self.lif2, y))
        y = self.norm2(y)
        return y + (x if self.shortcut is None else self.shortcut(x))


class Projection(nn.Module):
    """Shortcut of a block that changes stride or width: average pooling, 1x1 convolution, norm.

    Shape:
        ``[T, B, in_channels, H, W]`` -> ``[T, B, out_channels, H/stride, W/stride]``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: dict):
        super().__init__()
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = MODELS.build(dict(norm, num_features=out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(per_step(lambda frames: self.conv(self.pool(frames)), x))


class SpikingStem(nn.Module):
    """3x3 convolution of stride 2 and norm, on real-valued input; no neuron follows it.

    Shape:
        ``[T, B, in_channels, H, W]`` -> ``[T, B, out_channels, H/2, W/2]``.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: dict):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
        self.norm = MODELS.build(dict(norm, num_features=out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(per_step(self.conv, x))


@MODELS.register_module()
class SpikingResNet(BaseModule):
    """Spiking ResNet for a sequence of real-valued frames.

    A *staged* spiking backbone: ``stem``, then ``stages`` in order, each mapping ``[T, B, C, H, W]`` to the same axes
    with ``stage_channels[i]`` channels. A model may step in between two stages, as ReSpike's fusion does.

    Args:
        base_channels: width of stem and first stage; it doubles from stage to stage.
        stage_blocks: blocks per stage.
        in_channels: channels of a frame.
        neuron: config of the neurons.
        norm: config of the norms; the type takes ``[T, B, C, H, W]``.

    Shape:
        ``[T, B, in_channels, H, W]`` -> one ``[T, B, C_i, H / 2^(i+2), W / 2^(i+2)]`` per stage i = 0, 1, ...
        H and W are multiples of ``2^(stages + 1)``.

    Source: ReSpike (arXiv 2409.01564), spiking branch.
    Differs: nothing; the published width is fixed at 64.
    """

    def __init__(self,
                 base_channels: int = 64,
                 stage_blocks: Sequence[int] = (2, 2, 2, 2),
                 in_channels: int = 3,
                 neuron: dict = NEURON,
                 norm: dict = NORM,
                 init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.stage_channels = [base_channels * 2**i for i in range(len(stage_blocks))]
        self.size_divisor = 2**(len(stage_blocks) + 1)
        self.stem = SpikingStem(in_channels, base_channels, norm)
        self.stages = nn.ModuleList()
        width = base_channels
        for channels, blocks in zip(self.stage_channels, stage_blocks, strict=True):
            first = SpikingBlock(width, channels, 2, neuron, norm)
            rest = [SpikingBlock(channels, channels, 1, neuron, norm) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            width = channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x, features = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return tuple(features)
