"""From the maps of a CNN to the first state of a network that goes on from there."""
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.time import per_step
from mmspike.models.layers.unet_blocks import SLOPE
from mmspike.registry import MODELS

NORM = dict(type='StepBatchNorm2d')


class StateNet(nn.Module):
    """1x1 convolution, norm, leaky ReLU, 1x1 convolution, norm.

    Shape:
        ``[F, B, in_channels, H, W]`` -> ``[F, B, out_channels, scale * H, scale * W]``.

    Differs: enlarges after the first convolution and not before it, which is the same and costs a quarter.
    """

    def __init__(self, in_channels: int, out_channels: int, scale: int, norm: dict):
        super().__init__()
        self.scale = scale
        self.conv1 = nn.Conv2d(in_channels, out_channels, 1)
        self.norm1 = MODELS.build(dict(norm, num_features=out_channels))
        self.conv2 = nn.Conv2d(out_channels, out_channels, 1)
        self.norm2 = MODELS.build(dict(norm, num_features=out_channels))

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.norm1(per_step(self._first, x)), SLOPE)
        return self.norm2(per_step(self.conv2, x))

    def _first(self, frames: Tensor) -> Tensor:
        y = self.conv1(frames)
        if self.scale == 1:
            return y
        return F.interpolate(y, scale_factor=self.scale, mode='bilinear', align_corners=False)


@MODELS.register_module()
class StateInitializer(BaseModule):
    """One small network for each state that is set; all others start at rest.

    Args:
        features: channels and stride of the CNN's maps, by name (``feature_sizes`` of the CNN; filled in by the model).
        sites: channels and stride of the states (``state_sizes`` of the network; likewise).
        sources: name of a state -> name of the map that sets it.
        norm: config of the norms; the type takes ``[F, B, C, H, W]``, statistics are per frame.

    Shape:
        maps ``[F, B, C, h, w]`` by name -> states ``[F, B, C, h, w]`` by name.

    Raises:
        ValueError: a name that is not there, or a map that is larger than the state it should set.

    Source: hybrid ANN-SNN (arXiv 2303.14176).
    Differs: nothing.
    """

    def __init__(self, features: dict, sites: dict, sources: dict[str, str], norm: dict = NORM,
                 init_cfg: dict | None = dict(  # noqa: B006  (a config, never changed)
                     type='Xavier', layer='Conv2d', distribution='normal')):
        super().__init__(init_cfg)
        self.sources = dict(sources)
        nets = {}
        for site, source in self.sources.items():
            if site not in sites or source not in features:
                raise ValueError(f'StateInitializer: sources[{site!r}]={source!r}, but states are {", ".join(sites)} '
                                 f'and maps {", ".join(features)}.')
            (in_channels, coarse), (out_channels, fine) = features[source], sites[site]
            if coarse % fine:
                raise ValueError(f'StateInitializer: the map {source!r} has stride {coarse}, the state {site!r} stride '
                                 f'{fine}. Choose a map as coarse as the state, or coarser.')
            nets[site] = StateNet(in_channels, out_channels, coarse // fine, norm)
        self.nets = nn.ModuleDict(nets)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {site: self.nets[site](features[source]) for site, source in self.sources.items()}
