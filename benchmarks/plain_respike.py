"""ReSpike as one writes it first: a Python loop over time on spikingjelly neurons. The peer of ``respike.py``.

Written from the description of the published system, with what makes that one slow: every layer runs once per time
step, neurons keep their state in the module and are reset before each clip, the attention materialises its matrix,
projects the key frame's tokens again at every step, and each of its blocks is checkpointed. Parameter names are the
published ones, so ``mmspike.convert.respike`` carries its weights over.
"""
import torch
import torch.nn.functional as F
import torchvision
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

WIDTHS = (64, 128, 256, 512)


def _lif() -> neuron.LIFNode:
    return neuron.LIFNode(tau=4 / 3, decay_input=True, v_threshold=1., v_reset=0., detach_reset=True,
                          surrogate_function=surrogate.ATan(alpha=2.), step_mode='s')


class PlainBlock(nn.Module):
    """LIF, conv, norm, twice, beside a shortcut; one time step, [N, C, H, W]."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.lif1, self.lif2 = _lif(), _lif()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(in_channels, channels, 1, bias=False),
                                          nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(self.lif1(x)))
        return self.bn2(self.conv2(self.lif2(y))) + self.shortcut(x)


class PlainAttention(nn.Module):
    """Softmax attention with heads of 32 channels; queries [N, L, C], context [N, M, C']."""

    def __init__(self, channels: int, context_channels: int) -> None:
        super().__init__()
        self.heads = channels // 32
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_channels, channels, bias=False)
        self.to_v = nn.Linear(context_channels, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        q, k, v = (layer(tokens).unflatten(-1, (self.heads, 32)).transpose(1, 2)  # [N, heads, L or M, 32]
                   for layer, tokens in ((self.to_q, x), (self.to_k, context), (self.to_v, context)))
        weights = (q @ k.transpose(-1, -2) * 32 ** -0.5).softmax(-1)  # [N, heads, L, M]
        return self.to_out((weights @ v).transpose(1, 2).flatten(2))


class PlainFeedForward(nn.Module):
    """Gated GELU, four times as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        gate = nn.Module()
        gate.proj = nn.Linear(channels, 8 * channels)
        self.net = nn.ModuleDict({'0': gate, '2': nn.Linear(4 * channels, channels)})

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.net['0'].proj(x).chunk(2, dim=-1)
        return self.net['2'](value * F.gelu(gate))


class PlainTransformerBlock(nn.Module):
    def __init__(self, channels: int, context_channels: int) -> None:
        super().__init__()
        self.attn1 = PlainAttention(channels, channels)
        self.attn2 = PlainAttention(channels, context_channels)
        self.ff = PlainFeedForward(channels)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attn1(y, y)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class PlainFusion(nn.Module):
    """One spatial transformer: the spiking map asks, the key frame's map answers; one time step."""

    def __init__(self, channels: int, context_channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([PlainTransformerBlock(channels, context_channels)])
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # [N, C, h, w] -> [N, h*w, C]
        context = context.flatten(2).transpose(1, 2)
        tokens = checkpoint(self.transformer_blocks[0], tokens, context, use_reentrant=False, preserve_rng_state=False)
        return x + self.proj_out(tokens.transpose(1, 2).unflatten(2, x.shape[2:]))


class PlainSNN(nn.Module):
    """Residual frames [N, T, 3, H, W] -> [T, N, 512, h, w], every layer called once per time step."""

    def __init__(self, context_channels: list[int], pools: tuple[int, ...]) -> None:
        super().__init__()
        self.pools = pools
        self.conv1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for i, (channels, before) in enumerate(zip(WIDTHS, (64, *WIDTHS), strict=False), 1):
            self.add_module(f'layer{i}', nn.Sequential(PlainBlock(before, channels, 2),
                                                       PlainBlock(channels, channels, 1)))
            self.add_module(f'fusion{i}', PlainFusion(channels, context_channels[i - 1]))

    def forward(self, residual: Tensor, key_maps: list[Tensor]) -> Tensor:
        functional.reset_net(self)
        steps = []
        for t in range(residual.shape[1]):
            x = self.bn1(self.conv1(residual[:, t]))
            for i, (pool, key_map) in enumerate(zip(self.pools, key_maps, strict=True), 1):
                x = self.get_submodule(f'layer{i}')(x)
                small, context = (F.avg_pool2d(y, pool) if pool > 1 else y for y in (x, key_map))
                x = self.get_submodule(f'fusion{i}')(small, context)
                if pool > 1:
                    x = F.interpolate(x, scale_factor=pool, mode='bilinear', align_corners=False)
            steps.append(x)
        return torch.stack(steps)


class PlainReSpike(nn.Module):
    """A normalised clip [B, T, 3, H, W] -> logits [B, K]; fusion of all four stages (``--downsample``)."""

    def __init__(self, depth: int = 50, stride: int = 4, num_classes: int = 51) -> None:
        super().__init__()
        self.stride = stride
        ann = getattr(torchvision.models, f'resnet{depth}')(weights=None)
        self.ann_layer0 = nn.Sequential(ann.conv1, ann.bn1, ann.relu, ann.maxpool)
        self.ann_layer1, self.ann_layer2, self.ann_layer3, self.ann_layer4 = (
            ann.layer1, ann.layer2, ann.layer3, ann.layer4)
        widths = [ann.fc.in_features // 8 * 2 ** i for i in range(4)]
        self.snn_backbone = PlainSNN(widths, (4, 2, 1, 1))
        self.fc = nn.Linear(widths[-1] + WIDTHS[-1], num_classes)

    def forward(self, clip: Tensor) -> Tensor:
        groups = clip.unflatten(1, (-1, self.stride))  # [B, n, S, 3, H, W]
        key = groups[:, :, 0].flatten(0, 1)
        residual = (groups - groups[:, :, :1])[:, :, 1:].flatten(0, 1)  # [B*n, S-1, 3, H, W]
        maps, x = [], self.ann_layer0(key)
        for i in range(1, 5):
            x = self.get_submodule(f'ann_layer{i}')(x)
            maps.append(x)
        spiking = self.snn_backbone(residual, maps).mean(0)
        pooled = torch.cat((x, spiking), dim=1).mean((2, 3))
        return self.fc(pooled).unflatten(0, (len(clip), -1)).mean(1)


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> None:
    """Weights with which neurons fire and fusions matter; fresh ones do neither in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if name.endswith('num_batches_tracked'):
            continue
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith('running_var'):
            value.copy_(1 + 0.1 * noise.abs())
        elif name.endswith(('bias', 'running_mean')):
            value.copy_(0.1 * noise)
        elif value.ndim == 1:
            value.copy_(1 + 0.1 * noise)
        else:
            gain = 2.5 if 'snn_backbone.layer' in name and '.conv' in name else 1.
            value.copy_(gain * noise / value[0].numel() ** 0.5)
