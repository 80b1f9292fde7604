"""Spikingformer as one writes it first, on spikingjelly neurons. The peer of ``spikingformer.py``.

Written from the description of the published system, with what makes that one slow: the image is repeated at every
time step before the first convolution, q, k and v are three layers each with neurons of their own, tokens lie last in
memory and are copied for the attention, and the neurons keep their state in the module and are reset before each batch.
Parameter names are the published ones, so ``mmspike.convert.spikingformer`` carries its weights over.
"""
import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn


def _lif(v_threshold: float = 1.) -> neuron.LIFNode:
    return neuron.LIFNode(tau=2., decay_input=True, v_threshold=v_threshold, v_reset=0., detach_reset=True,
                          surrogate_function=surrogate.Sigmoid(alpha=4.), step_mode='m')


def _each(layers: nn.Module | list[nn.Module], x: Tensor) -> Tensor:
    """Layers on all time steps: [T, B, ...] -> [T, B, ...]."""
    y = x.flatten(0, 1)
    for layer in layers:
        y = layer(y)
    return y.unflatten(0, x.shape[:2])


class PlainTokenizer(nn.Module):
    """[T, B, 3, H, W] -> [T, B, D, H/16, W/16]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        widths = (3, dim // 8, dim // 4, dim // 2, dim, dim)
        for i, (before, after) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
            name = f'proj{i or ""}'
            self.add_module(f'{name}_conv', nn.Conv2d(before, after, 3, padding=1, bias=False))
            self.add_module(f'{name}_bn', nn.BatchNorm2d(after))
            if i:
                self.add_module(f'{name}_lif', _lif())

    def forward(self, x: Tensor) -> Tensor:
        x = _each([self.proj_conv, self.proj_bn], x)
        for i in range(1, 5):
            conv, norm, lif = (self.get_submodule(f'proj{i}_{part}') for part in ('conv', 'bn', 'lif'))
            x = _each([nn.MaxPool2d(3, 2, 1), conv, norm], lif(x))
        return x


class PlainAttention(nn.Module):
    """[T, B, D, H, W] -> the same."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.proj_lif = _lif()
        for name in 'qkv':
            self.add_module(f'{name}_conv', nn.Conv1d(dim, dim, 1, bias=False))
            self.add_module(f'{name}_bn', nn.BatchNorm1d(dim))
            self.add_module(f'{name}_lif', _lif())
        self.attn_lif = _lif(0.5)
        self.proj_conv = nn.Conv1d(dim, dim, 1)
        self.proj_bn = nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        size, x = x.shape[-2:], self.proj_lif(x).flatten(3)  # [T, B, D, N]
        q, k, v = (self._heads(self.get_submodule(f'{name}_lif')(
            _each([self.get_submodule(f'{name}_conv'), self.get_submodule(f'{name}_bn')], x))) for name in 'qkv')
        y = q @ (k.transpose(-2, -1) @ v) * 0.125  # [T, B, heads, N, D/heads]
        y = self.attn_lif(y.transpose(3, 4).reshape(x.shape).contiguous())
        return _each([self.proj_conv, self.proj_bn], y).unflatten(3, size)

    def _heads(self, x: Tensor) -> Tensor:
        """[T, B, D, N] -> [T, B, heads, N, D/heads]."""
        return x.transpose(2, 3).unflatten(3, (self.num_heads, -1)).transpose(2, 3).contiguous()


class PlainMLP(nn.Module):
    """[T, B, D, H, W] -> the same."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mlp1_lif, self.mlp1_conv, self.mlp1_bn = _lif(), nn.Conv2d(dim, 4 * dim, 1), nn.BatchNorm2d(4 * dim)
        self.mlp2_lif, self.mlp2_conv, self.mlp2_bn = _lif(), nn.Conv2d(4 * dim, dim, 1), nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = _each([self.mlp1_conv, self.mlp1_bn], self.mlp1_lif(x))
        return _each([self.mlp2_conv, self.mlp2_bn], self.mlp2_lif(x))


class PlainBlock(nn.Module):
    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim), PlainAttention(dim, num_heads)
        self.norm2, self.mlp = nn.LayerNorm(dim), PlainMLP(dim)  # the norms are never called

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.mlp(x)


class PlainSpikingformer(nn.Module):
    """Images [B, 3, H, W] -> logits [B, K]."""

    def __init__(self, dim: int = 384, depth: int = 8, num_heads: int = 8, steps: int = 4,
                 num_classes: int = 1000) -> None:
        super().__init__()
        self.steps = steps
        self.patch_embed = PlainTokenizer(dim)
        self.block = nn.Sequential(*[PlainBlock(dim, num_heads) for _ in range(depth)])
        self.head = nn.Linear(dim, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        functional.reset_net(self)
        x = self.block(self.patch_embed(image.unsqueeze(0).repeat(self.steps, 1, 1, 1, 1)))
        return self.head(x.flatten(3).mean(3)).mean(0)


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> None:
    """Weights with which about a third of the neurons fire; fresh ones hardly do in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for value in module.parameters(recurse=False):
            noise = torch.randn(value.shape, generator=generator)
            value.copy_(0.1 * noise if value.ndim == 1 else noise / value[0].numel() ** 0.5)
        if hasattr(module, 'running_var'):
            module.weight.add_(2.5)
            module.bias.add_(1.0)
