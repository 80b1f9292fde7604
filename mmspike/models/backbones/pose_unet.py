"""The U-Net that sees a pose in a stack of events."""
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers.unet_blocks import Down, Up, leaky_relu
from mmspike.registry import MODELS

WIDTHS = (1, 2, 4, 8, 16, 16)  # of the encoder's levels, in units of base_channels


@MODELS.register_module()
class PoseUNet(BaseModule):
    """U-Net of five levels without norms, from one stack of event counts (or an image) to one map per joint.

    frames -> ``stem`` -> ``down1`` ... ``down5`` -> ``up1`` ... ``up5`` -> maps

    Args:
        in_channels: of a frame; 20 = 10 bins of each polarity, 3 for RGB, 1 for grey images.
        out_channels: joints.
        base_channels: width of the stem; the levels below have 2, 4, 8, 16 and 16 times that.
        init_cfg: mmengine's; by default as published, the last layer close to zero.

    Shape:
        ``[N, in_channels, H, W]`` -> maps ``[N, out_channels, H, W]``; H and W are multiples of 32.

    Raises:
        ValueError: a frame of another size or number of channels.

    Source: hybrid ANN-SNN (arXiv 2303.14176), after Super SloMo (arXiv 1712.00080).
    Differs: nothing; the published width is fixed at 32.
    """

    reads = 'frames'
    size_divisor = 32

    def __init__(self,
                 in_channels: int = 20,
                 out_channels: int = 13,
                 base_channels: int = 32,
                 init_cfg: dict | None = dict(  # noqa: B006  (a config, never changed)
                     type='Xavier', layer='Conv2d', distribution='normal',
                     override=dict(type='Xavier', name='head', gain=1 / 2500, distribution='normal'))):
        super().__init__(init_cfg)
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [base_channels * width for width in WIDTHS]
        self.conv1 = nn.Conv2d(in_channels, base_channels, 7, padding=3)
        self.conv2 = nn.Conv2d(base_channels, base_channels, 7, padding=3)
        self.downs = nn.ModuleList(
            Down(widths[i], widths[i + 1], kernel_size=5 if i == 0 else 3) for i in range(5))
        self.ups = nn.ModuleList(Up(widths[i + 1], widths[i]) for i in reversed(range(5)))
        self.head = nn.Conv2d(base_channels, out_channels, 3, padding=1)
        # Channels and stride of every map of features(), for what is fed by them
        self.feature_sizes = {'stem': (base_channels, 1)}
        self.feature_sizes |= {f'down{i}': (widths[i], 2**i) for i in range(1, 6)}
        self.feature_sizes |= {f'up{i}': (widths[5 - i], 2**(5 - i)) for i in range(1, 6)}

    def forward(self, frames: Tensor) -> Tensor:
        return self.features(frames)['maps']

    def features(self, frames: Tensor) -> dict[str, Tensor]:
        """The maps of all levels by name, in the order of the figure above; ``'maps'`` are the joints'."""
        self._check(frames)
        x = leaky_relu(self.conv2(leaky_relu(self.conv1(frames))))
        features = {'stem': x}
        for i, down in enumerate(self.downs, 1):
            features[f'down{i}'] = x = down(x)
        skips = [features[name] for name in ('down4', 'down3', 'down2', 'down1', 'stem')]
        for i, (up, skip) in enumerate(zip(self.ups, skips, strict=True), 1):
            features[f'up{i}'] = x = up(x, skip)
        return features | {'maps': self.head(x)}

    def _check(self, frames: Tensor) -> None:
        if frames.ndim != 4 or frames.shape[1] != self.in_channels:
            raise ValueError(f'PoseUNet: expected frames [N, {self.in_channels}, H, W], got {list(frames.shape)}. '
                             'in_channels is two polarities times the bins of a frame (EventsToFrames).')
        height, width = frames.shape[2:]
        if height % self.size_divisor or width % self.size_divisor:
            raise ValueError(f'PoseUNet: a frame of {height}x{width}, but both sides have to be multiples of 32, as '
                             'the frame is halved five times. Crop it, or let the preprocessor pad it '
                             '(model.data_preprocessor.size_divisor=32).')
