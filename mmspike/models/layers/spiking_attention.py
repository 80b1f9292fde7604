"""Self-attention among spikes, without softmax."""
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.saving import linear_of_spikes, norm_and_fire, normalise
from mmspike.registry import MODELS

SCALE = 0.125
"""Published constant, whatever the width of a head."""


class SpikingSelfAttention(BaseModule):
    """``norm(proj(fire(q (k^T v) / 8)))``, where q, k and v are spikes: ``fire(norm(W fire(x)))``.

    q, k and v come from one matrix product. Without a softmax ``k^T v`` comes first: the cost is linear in the number
    of tokens, and all sums are whole numbers.

    Args:
        embed_dims: D.
        num_heads: heads; divides D.
        neuron: config of the neurons.
        attn_neuron: config of the neurons after the attention.

    Shape:
        ``[T, B, N, D]`` -> the same, real-valued.

    Source: Spikingformer (arXiv 2304.11954), spiking self-attention.
    Differs: one neuron module for q, k and v (the same numbers; a learnable time constant would be shared). The
        published figure draws the norm of q, k and v after their neurons; equations and code are as here.
    """

    def __init__(self, embed_dims: int, num_heads: int, neuron: dict, attn_neuron: dict):
        super().__init__()
        self.num_heads = num_heads
        self.lif = MODELS.build(neuron)
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims, bias=False)
        self.qkv_norm = nn.BatchNorm1d(3 * embed_dims)
        self.qkv_lif = MODELS.build(neuron)
        self.attn_lif = MODELS.build(attn_neuron)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_norm = nn.BatchNorm1d(embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        qkv = linear_of_spikes(self.qkv, self.lif, self.lif(x))  # [T, B, N, 3D]
        qkv = norm_and_fire(self.qkv_norm, self.qkv_lif, qkv)
        spikes = self.attn_lif(attend(qkv, self.num_heads))
        return normalise(self.proj_norm, linear_of_spikes(self.proj, self.attn_lif, spikes))[0]


def attend(qkv: Tensor, heads: int) -> Tensor:
    """``q (k^T v) / 8`` of every head: ``[T, B, N, 3D]`` -> ``[T, B, N, D]``."""
    q, k, v = qkv.unflatten(3, (3, heads, -1)).permute(3, 0, 1, 4, 2, 5)  # [T, B, heads, N, D/heads] each
    y = q @ (k.transpose(-2, -1) @ v * SCALE)
    return y.transpose(2, 3).flatten(3)
