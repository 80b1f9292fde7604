"""Cross-attention fusion: spiking features look at the key frame's features."""
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.saving import saved_as
from mmspike.models.layers.time import per_step
from mmspike.registry import MODELS


class Attention(nn.Module):
    """Multi-head attention from x to a context, or to itself.

    Args:
        dim: D, width of x and of the result.
        context_dim: width of the context.
        head_dim: width of one head; D / head_dim heads.

    Shape:
        x ``[N, L, D]``, context ``[N, M, context_dim]`` -> ``[N, L, D]``.

    Source: scaled dot-product attention (arXiv 1706.03762), as in latent diffusion: no bias but on the output.
    """

    def __init__(self, dim: int, context_dim: int, head_dim: int):
        super().__init__()
        self.heads = dim // head_dim
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(context_dim, dim, bias=False)
        self.to_v = nn.Linear(context_dim, dim, bias=False)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        q, k, v = (
            y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [N, heads, L or M, head_dim]
            for y in (self.to_q(x), self.to_k(context), self.to_v(context)))
        return self.to_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class GEGLU(nn.Module):
    """Gated feed-forward network: ``W_out(value * GELU(gate))``, with ``ratio * dim`` hidden units.

    Shape:
        ``[..., dim]`` -> ``[..., dim]``.

    Source: GLU variants (arXiv 2002.05202).
    """

    def __init__(self, dim: int, ratio: int = 4):
        super().__init__()
        self.proj_in = nn.Linear(dim, 2 * ratio * dim)
        self.proj_out = nn.Linear(ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj_in(x).chunk(2, dim=-1)
        v, g = value.detach(), gate.detach()  # enough to have all else in here again in backward
        activation = F.gelu(gate)
        with saved_as(activation, lambda: F.gelu(g)):
            hidden = value * activation
        with saved_as(hidden, lambda: v * F.gelu(g)):
            return self.proj_out(hidden)


@MODELS.register_module()
class CrossAttentionFusion(BaseModule):
    """Let the spiking features of one stage attend to the key frame's features of the same stage.

    ``x + proj_out(block(proj_in(GroupNorm(x))))``, where the block is self-attention among the tokens of one time
    step, cross-attention to the key frame, and a GEGLU network, each pre-normalised with a residual connection.
    All time steps of a group look at the same key frame, so their queries form one sequence and the key frame's
    keys and values are projected once. ``proj_out`` starts at zero: an untrained fusion is the identity.

    Args:
        in_channels: C of the spiking features.
        context_channels: channels of the key frame's features.
        head_dim: channels per attention head.
        pool: both maps are averaged over ``pool x pool`` windows before the fusion, and the fused map is enlarged
            bilinearly afterwards. Above 1 the spiking features pass this bottleneck too: there is no way around it.
        num_groups: groups of the group norm, at most; a width that it does not divide takes the largest that does.

    Shape:
        x ``[T, B, C, H, W]``, context ``[B, context_channels, H, W]`` -> ``[T, B, C, H, W]``.

    Source: ReSpike (arXiv 2409.01564); the block is the spatial transformer of latent diffusion (arXiv 2112.10752).
    Differs: nothing in what is computed; published code recomputes the context's keys and values at every step.
    """

    def __init__(self,
                 in_channels: int,
                 context_channels: int,
                 head_dim: int = 32,
                 pool: int = 1,
                 num_groups: int = 32,
                 init_cfg: dict | None = None):
        super().__init__(init_cfg)
        if in_channels % head_dim:
            raise ValueError(f'CrossAttentionFusion: head_dim={head_dim} does not divide in_channels={in_channels}. '
                             'Set model.backbone.fusion.head_dim to a divisor.')
        self.pool = pool
        groups = next(g for g in range(min(num_groups, in_channels), 0, -1) if in_channels % g == 0)
        self.norm = nn.GroupNorm(groups, in_channels, eps=1e-6)
        self.proj_in = nn.Linear(in_channels, in_channels)
        self.norm1 = nn.LayerNorm(in_channels)
        self.self_attn = Attention(in_channels, in_channels, head_dim)
        self.norm2 = nn.LayerNorm(in_channels)
        self.cross_attn = Attention(in_channels, context_channels, head_dim)
        self.norm3 = nn.LayerNorm(in_channels)
        self.ffn = GEGLU(in_channels)
        self.proj_out = nn.Linear(in_channels, in_channels)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        if self.pool == 1:
            return per_step(lambda frames: frames + self._attend(frames, context), x, batch_major=True)
        if x.shape[-2] % self.pool or x.shape[-1] % self.pool:
            raise ValueError(f'CrossAttentionFusion: pool={self.pool} does not divide a map of {x.shape[-2]}x'
                             f'{x.shape[-1]}. Set the entry of this stage in model.backbone.fusion_pooling to a '
                             'divisor, or use larger frames.')
        return per_step(lambda frames: self._attend_pooled(frames, context), x, batch_major=True)

    def _attend_pooled(self, frames: Tensor, context: Tensor) -> Tensor:
        frames, context = F.avg_pool2d(frames, self.pool), F.avg_pool2d(context, self.pool)
        frames = frames + self._attend(frames, context)
        return F.interpolate(frames, scale_factor=self.pool, mode='bilinear', align_corners=False)

    def _attend(self, frames: Tensor, context: Tensor) -> Tensor:
        """What the attention adds to the frames: ``[B*T, C, h, w]``, ``[B, C_a, h, w]`` -> ``[B*T, C, h, w]``."""
        batch, size = len(context), frames.shape[-2:]
        tokens = self.proj_in(self.norm(frames).flatten(2).transpose(1, 2))  # [B*T, h*w, C]
        tokens = tokens + self.self_attn(self.norm1(tokens))
        context = context.flatten(2).transpose(1, 2)  # [B, h*w, C_a]
        tokens = tokens.unflatten(0, (batch, -1)).flatten(1, 2)  # [B, T*h*w, C]
        tokens = tokens + self.cross_attn(self.norm2(tokens), context)
        tokens = self.proj_out(tokens + self.ffn(self.norm3(tokens)))
        return tokens.unflatten(1, (-1, size.numel())).flatten(0, 1).transpose(1, 2).unflatten(2, size)
