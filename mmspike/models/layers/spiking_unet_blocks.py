"""The blocks of a spiking U-Net: each takes the membranes of its neurons and gives them back."""
import torch
from torch import Tensor, nn

from mmspike.models.layers.enlarged_conv import EnlargedConv2d
from mmspike.models.layers.saving import conv_of_spikes, gives_small_numbers, norm_and_run
from mmspike.models.layers.time import per_step
from mmspike.registry import MODELS


class SpikingConv(nn.Module):
    """Convolution, norm, neuron.

    Shape:
        ``[T, B, in_channels, H, W]``, v -> spikes ``[T, B, out_channels, H/stride, W/stride]``, v.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, neuron: dict, norm: dict):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 5, stride, padding=2, bias=False)
        self.norm = MODELS.build(dict(norm, num_features=out_channels))
        self.neuron = MODELS.build(neuron)

    def forward(self, x: Tensor, v: Tensor | None = None, source: nn.Module | None = None) -> tuple[Tensor, Tensor]:
        """``source``: the neuron that gives x, or None where x are no spikes."""
        x = per_step(self.conv, x) if source is None else conv_of_spikes(self.conv, source, x)
        return norm_and_run(self.norm, self.neuron, x, v)


class SpikingUp(SpikingConv):
    """Bilinear enlargement by 2 of spikes from below and of those that skip the middle; convolution, norm, neuron.

    Shape:
        two maps ``[T, B, in_channels / 2, H, W]``, v -> spikes ``[T, B, out_channels, 2H, 2W]``, v.
    """

    def __init__(self, in_channels: int, out_channels: int, neuron: dict, norm: dict):
        super().__init__(in_channels, out_channels, 1, neuron, norm)
        self.conv = EnlargedConv2d(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor, v: Tensor | None, sources: tuple) -> tuple[Tensor, Tensor]:
        """``sources``: the neurons that give x and skip."""
        spikes, small = torch.cat([x, skip], 2), all(map(gives_small_numbers, sources))
        x = per_step(lambda frames: self.conv(frames, small), spikes)
        return norm_and_run(self.norm, self.neuron, x, v)


class SpikingResidual(nn.Module):
    """Two convolutions with neurons; the input's spikes are added to the current of the second neuron.

    Shape:
        ``[T, B, C, H, W]``, two v -> spikes ``[T, B, C, H, W]``, two v.
    """

    def __init__(self, channels: int, neuron: dict, norm: dict):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = MODELS.build(dict(norm, num_features=channels))
        self.neuron1 = MODELS.build(neuron)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = MODELS.build(dict(norm, num_features=channels))
        self.neuron2 = MODELS.build(neuron)

    def forward(self, x: Tensor, v1: Tensor | None, v2: Tensor | None,
                source: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        y, v1 = norm_and_run(self.norm1, self.neuron1, conv_of_spikes(self.conv1, source, x), v1)
        current = self.norm2(conv_of_spikes(self.conv2, self.neuron1, y)) + x
        y, v2 = self.neuron2.run(current, v2)
        return y, v1, v2


class Readout(nn.Module):
    """1x1 convolution of spikes to maps; with a neuron, the maps are its membrane.

    Args:
        neuron: config of a neuron that never fires, or None: then there is neither norm nor membrane.

    Shape:
        ``[T, B, in_channels, H, W]``, v -> maps ``[T, B, out_channels, H, W]``, v (None without a neuron).
    """

    def __init__(self, in_channels: int, out_channels: int, neuron: dict | None, norm: dict):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = None if neuron is None else MODELS.build(dict(norm, num_features=out_channels))
        self.neuron = None if neuron is None else MODELS.build(neuron)

    def forward(self, x: Tensor, v: Tensor | None, source: nn.Module) -> tuple[Tensor, Tensor | None]:
        x = conv_of_spikes(self.conv, source, x)
        return (x, None) if self.neuron is None else norm_and_run(self.norm, self.neuron, x, v)
