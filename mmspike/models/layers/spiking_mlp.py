"""Feed-forward network on spikes."""
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.saving import linear_of_spikes, norm_and_fire, normalise, over_rows
from mmspike.registry import MODELS


class SpikingMLP(BaseModule):
    """Twice neurons, linear layer and batch norm, ``ratio * D`` wide in between.

    Args:
        embed_dims: D.
        ratio: hidden width per D.
        neuron: config of the neurons.

    Shape:
        ``[T, B, N, D]`` -> the same, real-valued.

    Source: Spikingformer (arXiv 2304.11954), spiking MLP.
    Differs: nothing.
    """

    def __init__(self, embed_dims: int, ratio: float, neuron: dict):
        super().__init__()
        hidden = int(embed_dims * ratio)
        self.lif1, self.lif2 = MODELS.build(neuron), MODELS.build(neuron)
        self.fc1, self.norm1 = nn.Linear(embed_dims, hidden), nn.BatchNorm1d(hidden)
        self.fc2, self.norm2 = nn.Linear(hidden, embed_dims), nn.BatchNorm1d(embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        # Of all spikes between linear layers only the hidden ones are so many that keeping them small is worth two passes.
        hidden = over_rows(self.fc1, self.lif1(x))  # [T, B, N, ratio * D]
        spikes = norm_and_fire(self.norm1, self.lif2, hidden)
        return normalise(self.norm2, linear_of_spikes(self.fc2, self.lif2, spikes))[0]
