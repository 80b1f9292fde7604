"""A convolution of an enlarged map, computed on the small map."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from mmspike.models.layers.saving import saved_as

KERNEL, REACH, TAPS = 5, 2, 4


class EnlargedConv2d(nn.Conv2d):
    """Bilinear enlargement by 2, then a 5x5 convolution.

    Every other row and column of the result is a 4x4 convolution of the small map with a kernel of its own, so that the
    four of them need 16 products where the plain way needs 25, and the large map is never there. The plain way goes on
    where the large map ends in zeros, the small one as if the enlarged border went on: what that border adds to the two
    outermost rows and columns is taken off again. Equal to rounding; the weight is the plain convolution's.

    The plain way is taken on other devices than the CPU, under ``torch.compile``, and where operations are watched (to
    count them, or to fold a norm).

    Args:
        in_channels: of the small map.
        out_channels: of the result.

    Shape:
        ``[N, in_channels, H, W]`` -> ``[N, out_channels, 2H, 2W]``.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, KERNEL, padding=REACH, bias=False)
        self._kept: tuple | None = None

    def forward(self, x: Tensor, small_numbers: bool = False) -> Tensor:
        """``small_numbers``: x are whole numbers that fit into int8, and a training may keep them so."""
        if x.device.type == 'cpu' and not is_in_torch_dispatch_mode() and not torch.compiler.is_compiling():
            return self._on_the_small_map(x, small_numbers)
        return super().forward(F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False))

    def _on_the_small_map(self, x: Tensor, small_numbers: bool) -> Tensor:
        # Channels last: the fastest memory for what follows, and cheap to bring about while the map is small
        x = x.contiguous(memory_format=torch.channels_last)
        kernels, rims = self._kernels()
        padded = _pad(x)
        again = None
        if small_numbers and torch.is_grad_enabled():
            small, dtype = x.detach().to(torch.int8), x.dtype
            again = lambda: _pad(small.to(dtype))  # noqa: E731
        height, width = x.shape[2:]
        parts = []
        for row in (0, 1):
            for column in (0, 1):
                part = padded[:, :, row:row + height + 3, column:column + width + 3]
                if again is None:
                    parts.append(F.conv2d(part, kernels[row, column], self.bias))
                else:
                    with saved_as(padded, again):
                        parts.append(F.conv2d(part, kernels[row, column], self.bias))
        y = _interleave(parts)
        for dim, rim in enumerate(rims, 2):  # rows, then columns
            for end, kernel in ((0, rim[0]), (-1, rim[1])):
                line = x.select(dim, end)
                excess = F.conv1d(_enlarge_line(line, corners=dim == 2), kernel).unflatten(1, (2, -1))
                y.narrow(dim, 0 if end == 0 else y.shape[dim] - REACH, REACH).sub_(excess.movedim(1, dim))
        return y

    def _kernels(self) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Those of the four parts ``[2, 2, out, in, 4, 4]`` and of the rims; kept while the weight is the same."""
        weight = self.weight
        if torch.is_grad_enabled():
            return _kernels_of(weight)
        # By value: what is changed through .data, or computed anew for each call, has the address and version of before
        if self._kept is None or self._kept[0].dtype != weight.dtype or not torch.equal(self._kept[0], weight):
            self._kept = weight.detach().clone(), _kernels_of(weight)
        return self._kept[1]


def _pad(x: Tensor) -> Tensor:
    """The border goes on as it is: what bilinear enlargement takes it for."""
    return F.pad(x, (REACH, ) * 4, mode='replicate')


def _interleave(parts: list[Tensor]) -> Tensor:
    """Four ``[N, C, H, W]`` -> ``[N, C, 2H, 2W]``, in channels-last memory."""
    if not torch.is_grad_enabled():
        batch, channels, height, width = parts[0].shape
        y = parts[0].new_empty((batch, 2 * height, 2 * width, channels)).permute(0, 3, 1, 2)
        for i, part in enumerate(parts):
            y[:, :, i // 2::2, i % 2::2] = part
        return y
    rows = [torch.stack([part.permute(0, 2, 3, 1) for part in parts[i:i + 2]], 3) for i in (0, 2)]  # [N, H, W, 2, C]
    return torch.stack(rows, 2).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def _enlarge_line(line: Tensor, corners: bool) -> Tensor:
    """A row or column of the border, enlarged: ``[N, C, L]`` -> ``[N, C, 2L + 4]``; corners belong to the rows."""
    line = F.interpolate(line, scale_factor=2, mode='linear', align_corners=False)
    return F.pad(line, (REACH, REACH), mode='replicate') if corners else F.pad(line, (REACH, REACH))


def _kernels_of(weight: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    taps = _taps().to(weight)
    parts = torch.einsum('pak,qbl,oikl->pqoiab', taps, taps, weight)
    parts = parts.flatten(0, 2).contiguous(memory_format=torch.channels_last).unflatten(0, (2, 2, -1))
    rims = []
    for lines in (weight.unbind(2), weight.unbind(3)):
        # The first output row sees two rows beyond the border, the second one; the last but one sees one, the last two
        rims.append((torch.cat([lines[0] + lines[1], lines[0]]), torch.cat([lines[4], lines[3] + lines[4]])))
    return parts, rims


def _taps() -> Tensor:
    """Share of each small row in each large one that an output row sees: ``[even or odd, small, large]``.

    Large row 2j is a quarter of small row j - 1 and three quarters of j; row 2j + 1 three quarters of j and a quarter
    of j + 1. Output row 2i + p sees the large rows 2i + p - 2 to 2i + p + 2, the small rows i + p - 2 to i + p + 1.
    """
    shares = torch.zeros(2, TAPS, KERNEL)
    for parity in (0, 1):
        for tap in range(KERNEL):
            small, odd = divmod(parity + tap - REACH, 2)
            for row, share in (((small, 0.75), (small + 1, 0.25)) if odd else ((small - 1, 0.25), (small, 0.75))):
                shares[parity, row + REACH - parity, tap] += share
    return shares
