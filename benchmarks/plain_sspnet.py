"""SSPNet as one writes it first, on torchvision's ResNet-50 and ``grid_sample``. The peer of ``sspnet.py``.

Written from the description of the published system, with what makes its head slow: each group of attributes cuts its
rows out of its map and takes them through the prior locations, the pooling and a classifier of its own, so that the
projection, the offsets and the weights are computed four times, for rows that overlap, and each sampling point makes a
grid and reads the map anew. Parameter names are the published ones, so ``mmspike.convert.sspnet`` carries its weights
over.
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

# Group -> level, top and bottom row as fractions of the height, attributes; in the order of the logits
GROUPS = dict(head=(0, 0., 0.375, 2), mid=(1, 0.125, 0.625, 7), low=(1, 0.5, 1., 5), all=(2, 0., 1., 12))


class PlainPyramid(ResNet):
    """[B, 3, H, W] -> P1 to P4, [B, 256, H/4, W/4] to [B, 256, H/32, W/32]."""

    def __init__(self, layers: tuple[int, ...] = (3, 4, 6, 3)) -> None:
        super().__init__(Bottleneck, layers)
        del self.fc
        self.toplayer = nn.Conv2d(2048, 256, 1)
        for i, channels in enumerate((1024, 512, 256), 1):
            self.add_module(f'latlayer{i}', nn.Conv2d(channels, 256, 1))
            self.add_module(f'smooth{i}', nn.Conv2d(256, 256, 3, padding=1))

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        c1 = self.layer1(x)
        c2 = self.layer2(c1)
        c3 = self.layer3(c2)
        p4 = self.toplayer(self.layer4(c3))
        m3 = _add(p4, self.latlayer1(c3))
        m2 = _add(m3, self.latlayer2(c2))
        m1 = _add(m2, self.latlayer3(c1))
        return [self.smooth3(m1), self.smooth2(m2), self.smooth1(m3), p4]


def _add(coarse: Tensor, fine: Tensor) -> Tensor:
    return F.interpolate(coarse, fine.shape[-2:], mode='bilinear', align_corners=False) + fine


class PlainPriorLocation(nn.Module):
    """[B, C, h, w] -> the same: at each position the weighted sum of K samples around it."""

    def __init__(self, channels: int = 256, num_points: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.offset_conv = nn.ModuleList(nn.Conv2d(channels, 2, 1) for _ in range(num_points))
        self.weight_conv = nn.ModuleList([nn.Conv2d(channels, num_points, 1)])

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        values, weights = self.conv(x), self.weight_conv[0](x).softmax(1)
        total = 0
        for k, offset_conv in enumerate(self.offset_conv):
            offset = offset_conv(x)
            rows, columns = torch.meshgrid(torch.arange(height, dtype=x.dtype, device=x.device),
                                           torch.arange(width, dtype=x.dtype, device=x.device), indexing='ij')
            column = 2 * (columns + offset[:, 0]) / max(width - 1, 1) - 1  # as for corners that are aligned
            row = 2 * (rows + offset[:, 1]) / max(height - 1, 1) - 1
            sampled = F.grid_sample(values, torch.stack([column, row], -1), align_corners=False)  # as if they were not
            total = total + weights[:, k:k + 1] * sampled
        return total


class PlainClassifier(nn.Module):
    """P1 to P4 -> logits [B, 26]."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.PLEs = PlainPriorLocation()
        for name, (*_, count) in GROUPS.items():
            self.add_module(f'cls_{name}', nn.Sequential(nn.Linear(5 * 256, count), nn.Dropout(dropout)))

    def forward(self, maps: list[Tensor]) -> Tensor:
        logits = []
        for name, (level, top, bottom, _) in GROUPS.items():
            height = maps[level].shape[2]
            x = self.PLEs(maps[level][:, :, int(top * height):int(bottom * height)])
            logits.append(self.get_submodule(f'cls_{name}')(_pyramid_pool(x)))
        return torch.cat(logits, 1)


def _pyramid_pool(x: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, 5 C]: maxima of the whole and of its quarters; odd sides are padded with zeros."""
    parts = []
    for level in (1, 2):
        kernel = [-(-size // level) for size in x.shape[2:]]
        spare = [k * level - size for k, size in zip(kernel, x.shape[2:], strict=True)]
        padded = F.pad(x, [spare[1] // 2, spare[1] - spare[1] // 2, spare[0] // 2, spare[0] - spare[0] // 2])
        parts.append(F.max_pool2d(padded, kernel, kernel).flatten(1))
    return torch.cat(parts, 1)


class PlainSSPNet(nn.Module):
    """Images [B, 3, H, W] -> logits [B, 26]."""

    def __init__(self, layers: tuple[int, ...] = (3, 4, 6, 3), dropout: float = 0.1) -> None:
        super().__init__()
        self.backbone, self.classifier = PlainPyramid(layers), PlainClassifier(dropout)

    def forward(self, image: Tensor) -> Tensor:
        return self.classifier(self.backbone(image))


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> None:
    """Weights under which activations keep their size and sampling points lie a pixel or so away."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        value.copy_(0.1 * noise if value.ndim == 1 else noise / value[0].numel() ** 0.5)
        if 'bn' in name and name.endswith('weight') or 'downsample.1.weight' in name:
            value.add_(0.5)
