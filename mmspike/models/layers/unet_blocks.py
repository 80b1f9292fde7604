"""The two blocks of a plain U-Net."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.1


def leaky_relu(x: Tensor) -> Tensor:
    """In place: nothing else reads what a convolution gives."""
    return F.leaky_relu(x, SLOPE, inplace=True)


class Down(nn.Module):
    """Average pooling by 2, then two convolutions with leaky ReLUs.

    Shape:
        ``[N, in_channels, H, W]`` -> ``[N, out_channels, H/2, W/2]``.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(self.conv2(leaky_relu(self.conv1(F.avg_pool2d(x, 2)))))


class Up(nn.Module):
    """Bilinear enlargement by 2, a convolution, one more together with the map of the encoder.

    Shape:
        ``[N, in_channels, H, W]`` and ``[N, out_channels, 2H, 2W]`` -> ``[N, out_channels, 2H, 2W]``.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(2 * out_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
        return leaky_relu(self.conv2(torch.cat([leaky_relu(self.conv1(x)), skip], 1)))
