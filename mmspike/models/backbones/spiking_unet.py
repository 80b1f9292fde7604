"""The spiking U-Net that follows a pose from bin to bin."""
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.spiking_unet_blocks import Readout, SpikingConv, SpikingResidual, SpikingUp
from mmspike.registry import MODELS

NEURON = dict(type='LIF', tau=2.0, v_threshold=1.0, v_reset=None, detach_reset=False, surrogate='atan', alpha=2.0)
NORM = dict(type='StepBatchNorm2d')
LEVELS = 3


@MODELS.register_module()
class SpikingUNet(BaseModule):
    """Spiking encoder and decoder of three levels, from the events of each bin to one map per joint.

    bins -> ``stem`` -> ``down1-3`` -> ``residual`` -> ``up1-3`` (each with spikes that skip the middle) -> ``readout``

    There is no recurrence but in the membranes, so that every layer runs all T bins at once.

    Args:
        in_channels: of a bin, one per polarity.
        out_channels: joints.
        base_channels: width of the stem; it doubles from level to level.
        neuron: config of the neurons.
        readout_neuron: config of the neuron whose membrane is the output (``LeakyIntegrator``; with a norm before it),
            or None: the output is what the last convolution adds at each bin, for the output rule of a hybrid.
        norm: config of the norms; the type takes ``[T, B, C, H, W]``.
        init_cfg: mmengine's; by default as published.

    Shape:
        bins ``[T, B, in_channels, H, W]``, state -> maps ``[T, B, out_channels, H, W]``, state. H and W are multiples
        of 8. A state is a dict from the names above (``residual1``, ``residual2``; ``readout`` where it has a neuron)
        to membranes ``[B, C, h, w]``; one that is absent is at rest.

    Raises:
        ValueError: bins of another size or number of channels.

    Source: hybrid ANN-SNN (arXiv 2303.14176), after EVSNN (arXiv 2201.10943).
    Differs: nothing; the published width is fixed at 32.
    """

    reads = 'bins'
    size_divisor = 2**LEVELS

    def __init__(self,
                 in_channels: int = 2,
                 out_channels: int = 13,
                 base_channels: int = 32,
                 neuron: dict = NEURON,
                 readout_neuron: dict | None = dict(type='LeakyIntegrator', tau=2.0),  # noqa: B006  (a config)
                 norm: dict = NORM,
                 init_cfg: dict | list[dict] | None = dict(  # noqa: B006
                     type='Xavier', layer='Conv2d', distribution='normal')):
        super().__init__(init_cfg)
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [base_channels * 2**i for i in range(LEVELS + 1)]
        self.stem = SpikingConv(in_channels, widths[0], 1, neuron, norm)
        self.downs = nn.ModuleList(SpikingConv(widths[i], widths[i + 1], 2, neuron, norm) for i in range(LEVELS))
        self.residual = SpikingResidual(widths[-1], neuron, norm)
        self.ups = nn.ModuleList(
            SpikingUp(2 * widths[i + 1], widths[i], neuron, norm) for i in reversed(range(LEVELS)))
        self.readout = Readout(2 * widths[0], out_channels, readout_neuron, norm)
        # Channels and stride of the membranes that may be set from outside
        self.state_sizes = {'stem': (widths[0], 1)}
        self.state_sizes |= {f'down{i}': (widths[i], 2**i) for i in range(1, LEVELS + 1)}
        self.state_sizes |= {f'residual{i}': (widths[-1], 2**LEVELS) for i in (1, 2)}
        self.state_sizes |= {f'up{i}': (widths[LEVELS - i], 2**(LEVELS - i)) for i in range(1, LEVELS + 1)}

    def forward(self, bins: Tensor, state: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        self._check(bins)
        before, after = state or {}, {}
        x, after['stem'] = self.stem(bins, before.get('stem'))
        source, skips = self.stem.neuron, [(x, self.stem.neuron)]
        for i, down in enumerate(self.downs, 1):
            x, after[f'down{i}'] = down(x, before.get(f'down{i}'), source)
            source = down.neuron
            skips.append((x, source))
        x, after['residual1'], after['residual2'] = self.residual(
            x, before.get('residual1'), before.get('residual2'), source)
        source = self.residual.neuron2
        for i, up in enumerate(self.ups, 1):
            skip, skipping = skips.pop()
            x, after[f'up{i}'] = up(x, skip, before.get(f'up{i}'), (source, skipping))
            source = up.neuron
        x = torch.cat([x, skips.pop()[0]], 2)  # [T, B, 2 * base_channels, H, W]
        maps, v = self.readout(x, before.get('readout'), source)
        return maps, after if v is None else after | {'readout': v}

    def _check(self, bins: Tensor) -> None:
        if bins.ndim != 5 or bins.shape[2] != self.in_channels or any(n % self.size_divisor for n in bins.shape[3:]):
            raise ValueError(f'{type(self).__name__}: expected bins [T, B, {self.in_channels}, H, W] with H and W '
                             f'multiples of {self.size_divisor}, got {list(bins.shape)}. Make them by EventsToBins; '
                             'the preprocessor pads them (model.data_preprocessor.size_divisor).')
