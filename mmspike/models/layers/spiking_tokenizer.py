"""Image to tokens: five convolutions, with neurons and max pooling between them."""
from collections.abc import Container

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.pooling import max_pool
from mmspike.models.layers.saving import conv_of_spikes, fire, normalise
from mmspike.models.layers.time import per_step
from mmspike.registry import MODELS


class SpikingTokenizer(BaseModule):
    """Five times 3x3 convolution and batch norm; before each but the first, neurons and 3x3 max pooling of stride 2.

    image -> conv0, norm0 -> [fire, pool, conv, norm] x 4 -> maps of strides 2, 4, 8, 16, real-valued

    All time steps of a still image see the same, so the first convolution and its norm run once, whatever T.

    Args:
        in_channels: of the image.
        embed_dims: D, width of the last two convolutions; a multiple of 8. The others have D/8, D/4 and D/2.
        neuron: config of the neurons.

    Shape:
        image ``[B, in_channels, H, W]``, seen at ``num_steps`` time steps, or ``[T, B, in_channels, H, W]``
        -> four maps ``[T, B, C, H/s, W/s]``, C = D/4, D/2, D, D and s = 2, 4, 8, 16, or None for one that is not
        ``wanted`` (0 to 3). H and W are multiples of 16.

    Source: Spikingformer (arXiv 2304.11954), spiking tokenizer.
    Differs: nothing in what is computed; published code repeats the image T times and convolves each copy.
    """

    def __init__(self, in_channels: int, embed_dims: int, neuron: dict):
        super().__init__()
        widths = [in_channels, embed_dims // 8, embed_dims // 4, embed_dims // 2, embed_dims, embed_dims]
        self.convs = nn.ModuleList(nn.Conv2d(before, after, 3, padding=1, bias=False)
                                   for before, after in zip(widths[:-1], widths[1:], strict=True))
        self.convs.to(memory_format=torch.channels_last)  # as their inputs, and as their gradients come
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.neurons = nn.ModuleList(MODELS.build(neuron) for _ in widths[2:])

    def forward(self, x: Tensor, num_steps: int, wanted: Container[int] = (3,)) -> list[Tensor | None]:
        # Channels last from here on: convolutions run faster, and the last map is a list of tokens as it lies.
        still = x.ndim == 4
        frames = x if still else x.flatten(0, 1)
        frames = self.convs[0](frames.contiguous(memory_format=torch.channels_last))
        x = frames[None] if still else frames.unflatten(0, x.shape[:2])
        y, again = normalise(self.norms[0], x, num_steps if still else 1)  # [T, B, D/8, H, W]
        maps = []
        for i, (neuron, conv, norm) in enumerate(zip(self.neurons, self.convs[1:], self.norms[1:], strict=True)):
            spikes = per_step(max_pool, fire(neuron, y, again))
            y, again = normalise(norm, conv_of_spikes(conv, neuron, spikes))  # [T, B, C, H/s, W/s]
            maps.append(y if i in wanted else None)
        return maps
