"""Prior location extraction: every position looks at a few learned places around it, within a region."""
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F


class Region(NamedTuple):
    """Rows of one of several maps: those from ``top`` to ``bottom``, fractions of the height."""

    level: int
    top: float
    bottom: float

    def rows(self, height: int) -> tuple[int, int]:
        """First row and the row after the last, at least one row."""
        first = min(round(self.top * height), height - 1)
        return first, max(round(self.bottom * height), first + 1)


class PriorLocation(BaseModule):
    """At each position of a region, a weighted sum of ``num_points`` samples of the projected map around it.

    x -> 1x1 convolution -> values;  x -> 1x1 -> offsets (dx, dy) in pixels;  x -> 1x1 -> softmax -> weights

    All regions go through together: one product for the rows that any region needs, then one gather of the weighted
    corners of all points. Values outside a region are 0 for it, also where the map goes on.

    Args:
        in_channels: C of the maps.
        out_channels: D of the result.
        num_points: K, samples per position.
        density: share of rows and of columns at which the result is computed; evenly spread.
        legacy: the published sampling grid, which is stretched about its centre by size / (size - 1) and shifted, so
            that an offset of 0 is not the position itself; and the published initial values, which spread the points
            over many times the map.

    Shape:
        maps ``[B, C, H, W]`` and regions -> for each region ``[B, D, h, w]``, in channels-last memory.

    Source: SSPNet (arXiv 2312.06049), the published ``PLEs``.
    Differs: offsets begin on a circle of half a pixel, with equal weights; an offset of 0 is the position itself.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 num_points: int = 3,
                 density: float = 1.0,
                 legacy: bool = False):
        super().__init__()
        if not 0 < density <= 1:
            raise ValueError(f'PriorLocation: density={density}; expected the share of rows and columns to compute, '
                             'above 0 and up to 1.')
        self.out_channels, self.num_points, self.density, self.legacy = out_channels, num_points, density, legacy
        self.project = nn.Conv2d(in_channels, out_channels, 1)
        self.offset = nn.Conv2d(in_channels, 2 * num_points, 1)  # dx, dy of the first point, of the second...
        self.weight = nn.Conv2d(in_channels, num_points, 1)

    def init_weights(self) -> None:
        super().init_weights()
        nn.init.kaiming_normal_(self.project.weight, mode='fan_out')
        if self.legacy:
            nn.init.kaiming_normal_(self.weight.weight, mode='fan_out')
            nn.init.normal_(self.offset.weight)  # fan_out of each of the published convolutions, which have 2 outputs
            return
        for conv in (self.weight, self.offset):
            nn.init.zeros_(conv.weight)
        nn.init.zeros_(self.weight.bias)
        angles = 2 * math.pi * torch.arange(self.num_points) / self.num_points
        with torch.no_grad():  # apart from each other: equal points would get equal gradients for ever
            self.offset.bias.copy_(0.5 * torch.stack([angles.cos(), angles.sin()], 1).flatten())

    def forward(self, maps: Sequence[Tensor], regions: Sequence[Region]) -> list[Tensor]:
        table = RowTable(maps, regions)
        sizes, pixels = [], []
        for region in regions:
            rows, columns = (spread(n, self.density, maps[0].device) for n in table.window(region).size)
            sizes.append((len(rows), len(columns)))
            pixels.append((rows.repeat_interleave(len(columns))[None], columns.repeat(len(rows))[None]))  # [1, h * w]
        return [y.unflatten(1, size).permute(0, 3, 1, 2)
                for y, size in zip(self._extract(table, regions, pixels), sizes, strict=True)]

    def at_points(self, maps: Sequence[Tensor], levels: Sequence[int], points: Sequence[Tensor]) -> list[Tensor]:
        """The result at given positions of whole maps.

        Args:
            maps: ``[B, C, H, W]``.
            levels: the map of each set of points, from 0.
            points: columns and rows (x, y) in pixels of the map; a point stands for the pixel that it lies in.
                **Shape** ``[B, N, 2]``.

        Returns:
            list[Tensor]: ``[B, N, D]`` each.
        """
        regions = [Region(level, 0.0, 1.0) for level in levels]
        table = RowTable(maps, regions)
        pixels = []
        for region, xy in zip(regions, points, strict=True):
            height, width = table.window(region).size
            pixels.append((xy[..., 1].long().clamp(0, height - 1), xy[..., 0].long().clamp(0, width - 1)))
        return self._extract(table, regions, pixels)

    def places(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets in pixels ``[M, K, 2]`` (x, y) and weights ``[M, K]`` of positions ``[M, C]``."""
        with torch.autocast(rows.device.type, enabled=False):  # places need more digits than bfloat16 has
            rows = rows.to(self.offset.weight.dtype)
            offsets = F.linear(rows, self.offset.weight.flatten(1), self.offset.bias)
            weights = F.linear(rows, self.weight.weight.flatten(1), self.weight.bias)
        return offsets.unflatten(1, (self.num_points, 2)), weights.softmax(1)

    def _extract(self, table: 'RowTable', regions: Sequence[Region],
                 pixels: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """``[B, N, D]`` of each region at its pixels: row and column in the region, ``[B, N]`` or ``[1, N]``."""
        values = F.linear(table.rows, self.project.weight.flatten(1), self.project.bias)  # [M, D]
        offsets, weights = self.places(table.rows)
        corners, shares = [], []
        for region, (y, x) in zip(regions, pixels, strict=True):
            window = table.window(region)
            here = window.index(y, x)  # [B, N]
            corner, share = self._corners(window, torch.stack([x, y], -1)[:, :, None] + offsets[here])
            corners.append(corner.flatten(2))
            shares.append((share * weights[here][..., None]).flatten(2))  # [B, N, 4K]
        counts = [corner.shape[1] for corner in corners]
        corners, shares = (torch.cat([t.flatten(0, 1) for t in parts]) for parts in (corners, shares))
        out = F.embedding_bag(corners, values.to(shares.dtype), per_sample_weights=shares, mode='sum')
        return [y.unflatten(0, (table.batch, n)) for y, n in
                zip(out.split([table.batch * n for n in counts]), counts, strict=True)]

    def _corners(self, window: 'Window', xy: Tensor) -> tuple[Tensor, Tensor]:
        """The four pixels around each place and their bilinear shares: ``[B, N, K, 2]`` -> ``[B, N, K, 4]`` twice."""
        height, width = window.size
        size = xy.new_tensor([width, height])
        if self.legacy:  # normalised as for corners that are aligned, read as for corners that are not
            xy = xy * size / (size - 1).clamp(min=1) - 0.5
        low = xy.detach().floor()
        part = xy - low  # [B, N, K, 2]
        corners, shares = [], []
        for dy in (0, 1):
            for dx in (0, 1):
                at = low + low.new_tensor([dx, dy])
                inside = ((at >= 0) & (at < size)).all(-1)
                share = (part[..., 0] if dx else 1 - part[..., 0]) * (part[..., 1] if dy else 1 - part[..., 1])
                at = at.clamp(at.new_zeros(()), size - 1).long()
                corners.append(window.index(at[..., 1].flatten(1), at[..., 0].flatten(1)).view(at.shape[:-1]))
                shares.append(share * inside)
        return torch.stack(corners, -1), torch.stack(shares, -1)


class Window(NamedTuple):
    """Where a region's pixels stand in a :class:`RowTable`.

    Args:
        size: rows and columns of the region.
        start: of the first image's first pixel.
        image: offset of each image, ``[B, 1]``.
    """

    size: tuple[int, int]
    start: int
    image: Tensor

    def index(self, y: Tensor, x: Tensor) -> Tensor:
        """Row and column in the region, ``[B, N]`` or ``[1, N]`` -> row of the table, ``[B, N]``."""
        return self.image + (y * self.size[1] + x + self.start)


class RowTable:
    """The pixels of several maps that some regions need, each once, as rows of one table.

    Args:
        maps: ``[B, C, H, W]``.
        regions: of these maps.

    ``rows`` is ``[M, C]``, ``batch`` is B.
    """

    def __init__(self, maps: Sequence[Tensor], regions: Sequence[Region]):
        self.batch = len(maps[0])
        self._maps, self._levels, parts, start = maps, {}, [], 0
        for level in sorted({region.level for region in regions}):
            ranges = [r.rows(maps[level].shape[2]) for r in regions if r.level == level]
            first, last = min(a for a, _ in ranges), max(b for _, b in ranges)
            part = maps[level][:, :, first:last].permute(0, 2, 3, 1)  # [B, h, W, C]
            stride = part.shape[1] * part.shape[2]
            self._levels[level] = start, first, stride * torch.arange(self.batch, device=part.device)[:, None]
            parts.append(part.reshape(-1, part.shape[-1]))
            start += self.batch * stride
        self.rows = torch.cat(parts)

    def window(self, region: Region) -> Window:
        """Where a region is."""
        height, width = self._maps[region.level].shape[2:]
        top, bottom = region.rows(height)
        start, first, image = self._levels[region.level]
        return Window((bottom - top, width), start + (top - first) * width, image)


def spread(size: int, share: float, device: torch.device) -> Tensor:
    """Evenly spread positions out of ``size``, the first and the last among them: ``[max(1, size * share)]``."""
    count = max(1, int(size * share))
    return torch.linspace(0, size - 1, count, device=device).round().long()
