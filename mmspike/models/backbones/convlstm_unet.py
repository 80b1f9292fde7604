"""The recurrent U-Net: ConvLSTMs between convolutions."""
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers import per_step
from mmspike.models.layers.conv_lstm import ConvLSTM
from mmspike.registry import MODELS

NORM = dict(type='StepBatchNorm2d')


class NormedConv(nn.Module):
    """Convolution without bias, then norm, per step: ``[T, B, in, H, W]`` -> ``[T, B, out, H', W']``."""

    def __init__(self, conv: nn.Module, out_channels: int, norm: dict):
        super().__init__()
        self.conv = conv
        self.norm = MODELS.build(dict(norm, num_features=out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(per_step(self.conv, x))


class RecurrentEncoder(NormedConv):
    """Convolution of stride 2, norm, ReLU, ConvLSTM.

    Shape:
        ``[T, B, C, H, W]``, hidden, cell -> ``[T, B, 2C, H/2, W/2]``, cell.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: dict):
        super().__init__(nn.Conv2d(in_channels, out_channels, 5, 2, padding=2, bias=False), out_channels, norm)
        self.lstm = ConvLSTM(out_channels)

    def forward(self, x: Tensor, hidden: Tensor | None, cell: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.lstm(super().forward(x).relu(), hidden, cell)


class Residual(nn.Module):
    """Two 3x3 convolutions with norms: ``[T, B, C, H, W]`` -> the same."""

    def __init__(self, channels: int, norm: dict):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = MODELS.build(dict(norm, num_features=channels))
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = MODELS.build(dict(norm, num_features=channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(per_step(self.conv1, x)).relu()
        return (self.norm2(per_step(self.conv2, y)) + x).relu()


@MODELS.register_module()
class ConvLSTMUNet(BaseModule):
    """Encoders with ConvLSTMs, residual blocks, decoders; skipping maps are added.

    bins -> ``head`` -> ``encoders`` -> ``residuals`` -> ``decoders`` -> ``readout``

    Args:
        in_channels: of a bin, one per polarity.
        out_channels: joints.
        base_channels: width of the head; it doubles from encoder to encoder.
        num_encoders: levels.
        num_residual_blocks: between the last encoder and the first decoder.
        norm: config of the norms; the type takes ``[T, B, C, H, W]``.
        init_cfg: mmengine's; by default as published.

    Shape:
        bins ``[T, B, in_channels, H, W]``, state -> maps ``[T, B, out_channels, H, W]``, state. H and W are multiples
        of ``2^num_encoders``. A state is a dict with ``hidden{i}`` and ``cell{i}`` ``[B, C, h, w]`` of encoder i = 0,
        1, ...; one that is absent is zero.

    Raises:
        ValueError: bins of another size or number of channels.

    Source: E2VID (arXiv 1906.07165), as used by hybrid ANN-SNN (arXiv 2303.14176).
    Differs: nothing; the published last activation, a leaky ReLU of slope 1, is the identity.
    """

    reads = 'bins'

    def __init__(self,
                 in_channels: int = 2,
                 out_channels: int = 13,
                 base_channels: int = 32,
                 num_encoders: int = 3,
                 num_residual_blocks: int = 2,
                 norm: dict = NORM,
                 init_cfg: dict | list[dict] | None = dict(  # noqa: B006  (a config, never changed)
                     type='Xavier', layer='Conv2d', distribution='normal')):
        super().__init__(init_cfg)
        self.in_channels, self.out_channels, self.size_divisor = in_channels, out_channels, 2**num_encoders
        widths = [base_channels * 2**i for i in range(num_encoders + 1)]
        self.head = nn.Conv2d(in_channels, base_channels, 5, padding=2)
        self.encoders = nn.ModuleList(
            RecurrentEncoder(widths[i], widths[i + 1], norm) for i in range(num_encoders))
        self.residuals = nn.ModuleList(Residual(widths[-1], norm) for _ in range(num_residual_blocks))
        self.decoders = nn.ModuleList(
            NormedConv(nn.ConvTranspose2d(widths[i + 1], widths[i], 5, 2, padding=2, output_padding=1, bias=False),
                       widths[i], norm)
            for i in reversed(range(num_encoders)))
        self.readout = NormedConv(nn.Conv2d(base_channels, out_channels, 1, bias=False), out_channels, norm)
        # Channels and stride of the states that may be set from outside; the cells start at zero
        self.state_sizes = {f'hidden{i}': (widths[i + 1], 2**(i + 1)) for i in range(num_encoders)}

    def forward(self, bins: Tensor, state: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        self._check(bins)
        before, after = state or {}, {}
        head = per_step(lambda frames: F.relu(self.head(frames), inplace=True), bins)
        x, skips = head, []
        for i, encoder in enumerate(self.encoders):
            x, after[f'cell{i}'] = encoder(x, before.get(f'hidden{i}'), before.get(f'cell{i}'))
            after[f'hidden{i}'] = x[-1]
            skips.append(x)
        for residual in self.residuals:
            x = residual(x)
        for decoder in self.decoders:
            x = decoder(x + skips.pop()).relu()
        return self.readout(x + head), after

    def _check(self, bins: Tensor) -> None:
        if bins.ndim != 5 or bins.shape[2] != self.in_channels or any(n % self.size_divisor for n in bins.shape[3:]):
            raise ValueError(f'{type(self).__name__}: expected bins [T, B, {self.in_channels}, H, W] with H and W '
                             f'multiples of {self.size_divisor}, got {list(bins.shape)}. Make them by EventsToBins; '
                             'the preprocessor pads them (model.data_preprocessor.size_divisor).')
