"""Spikingformer: an image transformer of spiking neurons with membrane shortcuts."""
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers import SpikingMLP, SpikingSelfAttention, SpikingTokenizer
from mmspike.registry import MODELS

NEURON = dict(type='LIF', tau=2.0, v_threshold=1.0, v_reset=0.0, detach_reset=True, surrogate='sigmoid', alpha=4.0)
ATTN_NEURON = dict(NEURON, v_threshold=0.5)
ARCHS = {f'8-{width}': dict(embed_dims=width, depth=8, num_heads=8, mlp_ratio=4) for width in (384, 512, 768)}
STRIDE = 16


class SpikingformerBlock(BaseModule):
    """``x + attn(x)``, then ``x + mlp(x)``, on a real-valued stream; both begin with neurons.

    Shape:
        ``[T, B, N, D]`` -> the same.

    Source: Spikingformer (arXiv 2304.11954).
    Differs: two layer norms of the published block, which it never calls, are not there.
    """

    def __init__(self, embed_dims: int, num_heads: int, mlp_ratio: float, neuron: dict, attn_neuron: dict):
        super().__init__()
        self.attn = SpikingSelfAttention(embed_dims, num_heads, neuron, attn_neuron)
        self.mlp = SpikingMLP(embed_dims, mlp_ratio, neuron)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.mlp(x)


@MODELS.register_module()
class Spikingformer(BaseModule):
    """Spikingformer, for necks and heads that take a tuple of maps.

    image, the same at all T steps -> tokenizer (stride 16) -> blocks -> mean over T

    Args:
        arch: ``'8-384'``, ``'8-512'``, ``'8-768'`` (depth and width), or a dict of ``embed_dims`` (D, a multiple of 8),
            ``depth``, ``num_heads`` (divides D) and ``mlp_ratio`` (default 4).
        num_steps: T for images; a sequence brings its own.
        in_channels: channels of the image.
        out_indices: which maps to return: 0 to 3 are those of the tokenizer, with strides 2, 4, 8 and 16 and
            D/4, D/2, D and D channels; 4 or -1 is that of the last block.
        frozen_stages: -1 freezes nothing, 0 the tokenizer, k the first k blocks too: no gradient, batch norms in
            evaluation mode.
        neuron: config of the neurons.
        attn_neuron: config of the neurons after the attention.

    Shape:
        ``[B, in_channels, H, W]`` or ``[T, B, in_channels, H, W]`` -> tuple of ``[B, C, H/s, W/s]``, means over T.
        H and W are multiples of 16.

    Raises:
        ValueError: for an architecture, an index or an input that does not fit; it names what does.

    Source: Spikingformer (arXiv 2304.11954).
    Differs: nothing in what is computed; the parameters that published code never uses are not there.
    """

    def __init__(self,
                 arch: str | dict = '8-384',
                 num_steps: int = 4,
                 in_channels: int = 3,
                 out_indices: Sequence[int] = (-1,),
                 frozen_stages: int = -1,
                 neuron: dict = NEURON,
                 attn_neuron: dict = ATTN_NEURON,
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(init_cfg)
        self.embed_dims, depth, num_heads, mlp_ratio = _read(arch)
        if not set(out_indices) <= set(range(-5, 5)) or not out_indices:
            raise ValueError(f'Spikingformer: out_indices={tuple(out_indices)} must be some of 0, 1, 2, 3 (tokenizer, '
                             'strides 2, 4, 8, 16) and 4 (last block; also -1).')
        if not -1 <= frozen_stages <= depth:
            raise ValueError(f'Spikingformer: frozen_stages={frozen_stages} must be -1 (nothing), 0 (tokenizer) or up '
                             f'to {depth} (all blocks).')
        if num_steps < 1 or num_steps != int(num_steps):
            raise ValueError(f'Spikingformer: num_steps={num_steps} must be a whole number, at least 1.')
        self.num_steps, self.in_channels = int(num_steps), in_channels
        self.out_indices = [index % 5 for index in out_indices]
        self.frozen_stages = frozen_stages
        self.tokenizer = SpikingTokenizer(in_channels, self.embed_dims, neuron)
        self.blocks = nn.ModuleList(SpikingformerBlock(self.embed_dims, num_heads, mlp_ratio, neuron, attn_neuron)
                                    for _ in range(depth))
        for stage in self._frozen():
            stage.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_input(x)
        wanted = {min(index, 3) for index in self.out_indices}
        maps = self.tokenizer(x, self.num_steps, wanted)  # [T, B, C, H/s, W/s] each
        if 4 in self.out_indices:
            size = maps[-1].shape[-2:]
            tokens = maps[-1].flatten(3).transpose(2, 3)  # [T, B, N, D], a view of channels-last memory
            for block in self.blocks:
                tokens = block(tokens)
            maps.append(tokens.transpose(2, 3).unflatten(3, size))
        return tuple(maps[index].mean(0) for index in self.out_indices)

    def train(self, mode: bool = True) -> 'Spikingformer':
        super().train(mode)
        for stage in self._frozen():
            stage.eval()
        return self

    def _frozen(self) -> list[nn.Module]:
        return [self.tokenizer, *self.blocks][:self.frozen_stages + 1]

    def _check_input(self, x: Tensor) -> None:
        fits = x.ndim in (4, 5) and x.shape[-3] == self.in_channels and x.numel() > 0
        if not fits or x.shape[-2] % STRIDE or x.shape[-1] % STRIDE:
            low = [max(STRIDE, side // STRIDE * STRIDE) for side in x.shape[-2:]]
            raise ValueError(
                f'Spikingformer: expected [B, {self.in_channels}, H, W] or [T, B, {self.in_channels}, H, W] with H and '
                f'W multiples of {STRIDE}, got {list(x.shape)}. One token stands for {STRIDE}x{STRIDE} pixels: resize '
                f'to {"x".join(map(str, low))} in the train and test pipelines.')


def _read(arch: str | dict) -> tuple[int, int, int, float]:
    if isinstance(arch, str):
        if arch not in ARCHS:
            raise ValueError(f'Spikingformer: arch={arch!r} is not one of {list(ARCHS)}. Give one of them, or a dict '
                             'of embed_dims, depth, num_heads and mlp_ratio.')
        arch = ARCHS[arch]
    settings = dict(dict(mlp_ratio=4), **arch)
    wanted = ('embed_dims', 'depth', 'num_heads', 'mlp_ratio')
    if set(settings) != set(wanted):
        raise ValueError(f'Spikingformer: arch has {sorted(arch)}; it needs embed_dims, depth, num_heads, and may have '
                         'mlp_ratio.')
    embed_dims, depth, num_heads, mlp_ratio = (settings[name] for name in wanted)
    if not (embed_dims > 0 and num_heads > 0 and mlp_ratio > 0 and depth >= 0):
        raise ValueError(f'Spikingformer: arch={dict(settings)}: embed_dims, num_heads and mlp_ratio must be positive, '
                         'and depth at least 0.')
    if embed_dims % 8 or embed_dims % num_heads:
        raise ValueError(f'Spikingformer: embed_dims={embed_dims} must be a multiple of 8 (the tokenizer begins with '
                         f'an eighth of it) and of num_heads={num_heads}.')
    return embed_dims, depth, num_heads, mlp_ratio
