"""What a decoder looks at: the last maps or the tokens of a backbone as one row of vectors."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ImageMemory(nn.Module):
    """Maps or tokens -> projection and norm, and for maps their positions -> places ``[B, M, D]``.

    Args:
        in_channels: None takes the last entry as it is, tokens of D channels such as those of ``CLIPVision``. A number
            projects the last entry, several numbers as many entries, the finest first.
        embed_dims: D, a multiple of 4.

    Shape:
        tuple of maps ``[B, C, h, w]`` or tokens ``[B, N, C]`` -> ``[B, M, D]``.

    Raises:
        ValueError: fewer entries than numbers of channels, other channels, or a width that holds no positions.
    """

    def __init__(self, in_channels: int | Sequence[int] | None, embed_dims: int) -> None:
        super().__init__()
        self.channels = [in_channels] if isinstance(in_channels, int) else list(in_channels or ())
        self.embed_dims = embed_dims
        if self.channels and embed_dims % 4:
            raise ValueError(f'ImageMemory: embed_dims is {embed_dims}, expected a multiple of 4 (sines and cosines of '
                             'rows and columns). Set model.head.decoder.embed_dims to one.')
        self.projects = nn.ModuleList(nn.Linear(channels, embed_dims) for channels in self.channels)
        self.norms = nn.ModuleList(nn.LayerNorm(embed_dims) for _ in self.channels)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        if not self.channels:
            return features[-1]
        self._check(features)
        places = []
        for x, project, norm in zip(features[-len(self.channels):], self.projects, self.norms, strict=True):
            tokens = norm(project(x.flatten(2).transpose(1, 2) if x.ndim == 4 else x))  # [B, N, D]
            if x.ndim == 4:
                tokens = tokens + positions(*x.shape[2:], self.embed_dims, x.device).to(x.dtype)
            places.append(tokens)
        return torch.cat(places, 1)

    def on_image(self, looks: Tensor, features: Sequence[Tensor], size: Sequence[int]) -> Tensor | None:
        """What is said of the places, on the grid of the finest map; that of coarser ones is spread out and added.

        Args:
            looks: such as how much each of T tokens looks at each place. **Shape** [T, M].
            features: what the backbone gave.
            size: height and width of the image, from which tokens without a grid take its proportions.

        Returns:
            Tensor: **Shape** [T, h, w]; None where the tokens make no grid (a class token before them is left out).
        """
        used = features[-max(len(self.channels), 1):]
        maps = []
        for x, part in zip(used, looks.split([x[0, 0].numel() if x.ndim == 4 else x.shape[1] for x in used], 1),
                           strict=True):
            grid = x.shape[2:] if x.ndim == 4 else token_grid(x.shape[1], size)
            if grid is None:
                return None
            maps.append(part[:, part.shape[1] - grid[0] * grid[1]:].unflatten(1, tuple(grid)))
        finest = maps[0].shape[1:]
        return sum(F.interpolate(part[:, None], finest, mode='nearest')[:, 0]
                   * (part.shape[1:].numel() / finest.numel()) for part in maps)

    def _check(self, features: Sequence[Tensor]) -> None:
        found = [x.shape[1] if x.ndim == 4 else x.shape[2] if x.ndim == 3 else 0 for x in features]
        if len(found) < len(self.channels) or found[-len(self.channels):] != self.channels:
            raise ValueError(f'ImageMemory: the backbone gives {[list(x.shape) for x in features]}, in_channels is '
                             f'{self.channels}: expected maps [B, C, h, w] or tokens [B, N, C] of these channels, as '
                             'the last entries. Set model.head.in_channels to the channels that come, and '
                             'model.backbone.out_indices to the maps that are wanted.')


def positions(height: int, width: int, dims: int, device: torch.device | str = 'cpu') -> Tensor:
    """Sinusoids of the row, then of the column of each place, row by row: ``[height width, dims]``.

    Rows and columns count from 0 to 1 over the map, as far apart as 64 whole numbers, so that maps of all sizes, and
    of several scales, agree about where a place is.
    """
    tables = []
    for side in (height, width):
        centres = 64 * (torch.arange(side, device=device) + 0.5) / side
        angles = centres[:, None] / 64**(torch.arange(dims // 4, device=device) / (dims // 4))
        tables.append(torch.cat([angles.sin(), angles.cos()], 1))  # [side, dims / 2]
    rows, columns = tables
    return torch.cat([rows[:, None].expand(-1, width, -1), columns.expand(height, -1, -1)], -1).flatten(0, 1)


def token_grid(count: int, size: Sequence[int]) -> tuple[int, int] | None:
    """Rows and columns of so many tokens, or of all but the first: square patches of an image of a size, of which the
    last may be cut off; None if none fit."""
    for tokens in (count, count - 1):
        for patch in range(max(size), 0, -1):
            rows, columns = size[0] // patch, size[1] // patch
            if rows * columns == tokens > 0:
                return rows, columns
            if rows * columns > tokens:
                break
    return None
