"""Self-attention among spikes, without softmax."""
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.autograd import Function

from mmspike.models.layers.saving import gives_small_numbers, norm_and_fire, normalise, over_rows
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
        qkv = over_rows(self.qkv, self.lif(x))  # [T, B, N, 3D]
        qkv = norm_and_fire(self.qkv_norm, self.qkv_lif, qkv)
        kept = torch.int8 if gives_small_numbers(self.qkv_lif) else qkv.dtype
        spikes = self.attn_lif(_Attend.apply(qkv, self.num_heads, kept))  # [T, B, N, D]
        return normalise(self.proj_norm, over_rows(self.proj, spikes))[0]


class _Attend(Function):
    """``q (k^T v) / 8`` of every head: spikes ``[T, B, N, 3D]`` -> ``[T, B, N, D]``; keeps the spikes in a dtype."""

    @staticmethod
    def forward(ctx, qkv, heads, kept):
        parts = qkv.view(-1, qkv.shape[2], 3, heads, qkv.shape[3] // (3 * heads)).permute(2, 0, 3, 1, 4).contiguous()
        q, k, v = parts.flatten(1, 2)  # [T*B*heads, N, D/heads]
        products = k.transpose(1, 2).bmm(v)
        ctx.save_for_backward(parts.to(kept), products)  # [3, T*B, heads, N, D/heads]
        y = _scaled_product(q, products).view(parts.shape[1:]).transpose(1, 2)  # [T*B, N, heads, D/heads]
        return y.contiguous().view(*qkv.shape[:3], -1)

    @staticmethod
    def backward(ctx, grad):
        small, products = ctx.saved_tensors
        axes = grad.shape[:3]
        q, k, v = small.to(grad.dtype).flatten(1, 2)
        _, batch, heads, tokens, width = small.shape
        grad = grad.reshape(batch, tokens, heads, width).transpose(1, 2).contiguous().view(q.shape)
        grads = torch.empty(small.shape, dtype=grad.dtype, device=grad.device)
        grad_q, grad_k, grad_v = grads.flatten(1, 2)
        _scaled_product(grad, products.transpose(1, 2), out=grad_q)
        grad_products = _scaled_product(q.transpose(1, 2), grad)
        torch.bmm(v, grad_products.transpose(1, 2), out=grad_k)
        torch.bmm(k, grad_products, out=grad_v)
        return grads.permute(1, 3, 0, 2, 4).contiguous().view(*axes, -1), None, None


def _scaled_product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.baddbmm(a[:, :1, :1], a, b, beta=0, alpha=SCALE, out=out)  # what is added counts as 0
