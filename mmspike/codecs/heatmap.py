"""Joints <-> heat maps."""
import torch
from torch import Tensor

from mmspike.registry import TASK_UTILS


@TASK_UTILS.register_module()
class HeatmapCodec:
    """One map per joint, a Gaussian of height 1 on the joint; the joint is where a map is highest.

    keypoints ``[..., K, 2]`` -> :meth:`encode` -> maps ``[..., K, H, W]`` -> :meth:`decode` -> keypoints, scores

    Coordinates are (x, y) in pixels, whole numbers at the centres of pixels. A map is separable: the outer product of
    a row and a column, so that encoding costs little beside a convolution and needs no image of ones and zeros.

    Args:
        sigma: standard deviation in pixels. The Gaussian is cut off beyond a square of the published kernel's size
            (11x11 at ``sigma=2``).
        legacy: as published: coordinates are cut to whole pixels, and the blur reflects at the border, so that the peak
            of a joint in the second or third row or column lies on the border. For parity.
        subpixel: Gaussians stand on the joint itself, not on its pixel, and decoding refines the highest pixel by a
            parabola through the logarithm of it and its neighbours, exact for a Gaussian.

    Raises:
        ValueError: options that exclude one another; with ``legacy`` a sigma whose kernel has no centre.

    Source: hybrid ANN-SNN (arXiv 2303.14176), published loaders and losses.
    Differs: rounds, and has no border defect, unless ``legacy``.
    """

    def __init__(self, sigma: float = 2.0, legacy: bool = False, subpixel: bool = False):
        if sigma < 0.8:
            raise ValueError(f'HeatmapCodec: sigma={sigma}: below 0.8 px a Gaussian is narrower than its pixel.')
        kernel = int(((sigma - 0.8) / 0.3 + 1) * 2 + 1)
        if legacy and subpixel:
            raise ValueError('HeatmapCodec: legacy and subpixel exclude one another, as published maps stand on whole '
                             'pixels. Set one of them to False.')
        if legacy and kernel % 2 == 0:
            raise ValueError(f'HeatmapCodec: sigma={sigma} makes a kernel of {kernel} pixels, which has no centre; the '
                             'published code fails. Choose another sigma (1.1, 2.0, 2.6, ...), or legacy=False.')
        self.sigma, self.legacy, self.subpixel = sigma, legacy, subpixel
        self.radius = kernel // 2

    def __repr__(self) -> str:
        return f'HeatmapCodec(sigma={self.sigma}, legacy={self.legacy}, subpixel={self.subpixel})'

    def encode(self, keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps of joints; all zero for a joint that is not visible, not a number or outside the image.

        Args:
            keypoints: (x, y), floating.
            visible: whether a joint has a label.
            size: (H, W).

        Shape:
            ``[..., K, 2]``, ``[..., K]`` -> ``[..., K, H, W]`` in the dtype of the keypoints.
        """
        height, width = size
        there = visible.bool() & keypoints.isfinite().all(-1)
        places = keypoints.where(there[..., None], 0)
        pixels = places.trunc() if self.legacy else places.round()
        limit = pixels.new_tensor([width - 1, height - 1])
        there &= ((pixels >= 0) & (pixels <= limit)).all(-1)
        centres = places if self.subpixel else pixels
        rows, columns = self._profile(centres[..., 1], height), self._profile(centres[..., 0], width)
        rows = rows * there[..., None]
        return rows[..., :, None] * columns[..., None, :]

    def _profile(self, centre: Tensor, length: int) -> Tensor:
        """The Gaussian along one axis: ``[..., K]`` -> ``[..., K, length]``."""
        if not self.legacy:
            return self._gaussian(centre, length)
        # What a reflecting border adds: the joint's mirror images, of which a joint on the border itself has none
        last = length - 1
        blurred = self._gaussian(centre, length)
        blurred = blurred + self._gaussian(-centre, length) * (centre > 0)[..., None]
        blurred = blurred + self._gaussian(2 * last - centre, length) * (centre < last)[..., None]
        return blurred / blurred.amax(-1, keepdim=True).clamp(min=torch.finfo(blurred.dtype).tiny)

    def _gaussian(self, centre: Tensor, length: int) -> Tensor:
        distance = torch.arange(length, dtype=centre.dtype, device=centre.device) - centre[..., None]
        near = distance.abs() <= self.radius + (0.5 if self.subpixel else 0)
        return torch.exp(-(distance / self.sigma)**2 / 2) * near

    def decode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Where each map is highest (the first of equals), and how high.

        Shape:
            ``[..., K, H, W]`` -> keypoints ``[..., K, 2]`` (x, y), scores ``[..., K]``, in the dtype of the maps, or in
            float32 for maps of half precision.
        """
        maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
        height, width = maps.shape[-2:]
        scores, index = maps.flatten(-2).max(-1)
        x, y = index % width, index // width
        if not self.subpixel:
            return torch.stack([x, y], -1).to(maps.dtype), scores
        row = maps.gather(-2, y[..., None, None].expand(*y.shape, 1, width)).squeeze(-2)  # [..., K, W]
        column = maps.gather(-1, x[..., None, None].expand(*x.shape, height, 1)).squeeze(-1)  # [..., K, H]
        return torch.stack([x + _peak(row, x), y + _peak(column, y)], -1), scores


def _peak(line: Tensor, top: Tensor) -> Tensor:
    """How far from pixel ``top`` the peak of ``line`` lies, within half a pixel: ``[..., N]``, ``[...]`` -> ``[...]``.

    No move where the pixel has a neighbour on one side only.
    """
    last = line.shape[-1] - 1
    around = torch.stack([(top + step).clamp(0, last) for step in (-1, 0, 1)], -1)
    height = line.gather(-1, around)
    floor = height[..., 1:2].abs() * 1e-6 + torch.finfo(line.dtype).tiny  # a predicted map may be negative beside it
    left, middle, right = height.clamp(min=floor).log().unbind(-1)
    bend = left - 2 * middle + right
    offset = (left - right) / (2 * bend).clamp(max=-torch.finfo(line.dtype).eps)
    return torch.where((top > 0) & (top < last), offset.clamp(-0.5, 0.5), 0)
