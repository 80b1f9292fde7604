"""The hybrid pose network as one writes it first: a step at a time on spikingjelly neurons. The peer of ``pose.py``.

Written from the description of the published system: every layer runs once per bin, neurons keep their membrane in the
module, the CNN's state nets write it there, and the model keeps its output. Parameter names are the published ones, so
``mmspike.convert.hybrid_pose`` carries its weights over.
"""
import torch
import torch.nn.functional as F
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

LEVELS = (32, 64, 128, 256, 512, 512)
STATES = (('states_in', 32, 32), ('states_1', 64, 64), ('states_2', 128, 128), ('states_3', 256, 256),
          ('states_4', 512, 256), ('states_5', 256, 256), ('states_6', 128, 128), ('states_7', 64, 64),
          ('states_8', 32, 32))


def enlarge(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)


def _lif(tau: float) -> neuron.LIFNode:
    return neuron.LIFNode(tau=tau, decay_input=True, v_threshold=1., v_reset=None, detach_reset=False,
                          surrogate_function=surrogate.ATan(alpha=2.), step_mode='s')


class ConvLayer(nn.Module):
    """Conv, norm, LIF; one time step, [N, C, H, W]."""

    def __init__(self, in_channels: int, channels: int, stride: int, tau: float) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, channels, 5, stride, 2, bias=False)
        self.norm_layer = nn.BatchNorm2d(channels)
        self.activation = _lif(tau)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm_layer(self.conv2d(x)))


class DownLayer(nn.Module):
    def __init__(self, channels: int, tau: float) -> None:
        super().__init__()
        self.conv = ConvLayer(channels, 2 * channels, 2, tau)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, tau: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.activation1 = _lif(tau)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.activation2 = _lif(tau)

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation1(self.bn1(self.conv1(x)))
        return self.activation2(self.bn2(self.conv2(y)) + x)


class Head(nn.Module):
    def __init__(self, in_channels: int, joints: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, joints, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2d(x)


class Down(nn.Module):
    def __init__(self, in_channels: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(F.avg_pool2d(x, 2)), 0.1)
        return F.leaky_relu(self.conv2(x), 0.1)


class Up(nn.Module):
    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(enlarge(x)), 0.1)
        return F.leaky_relu(self.conv2(torch.cat([x, skip], 1)), 0.1)


class StateNet(nn.Module):
    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.enlarges = in_channels > channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1)
        self.norm_layer = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 1)
        self.norm_layer2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = enlarge(x) if self.enlarges else x
        return self.norm_layer2(self.conv2(F.leaky_relu(self.norm_layer(self.conv1(x)), 0.1)))


class PlainHybridPose(nn.Module):
    """CNN, state nets and spiking network; ``look`` at a frame, then ``step`` bin by bin."""

    def __init__(self, tau: float = 3.0, decay: float = 0.8, joints: int = 13, frame_channels: int = 20) -> None:
        super().__init__()
        self.decay, self.output = decay, None
        self.static_conv_snn = ConvLayer(2, 32, 1, tau)
        self.down1_snn, self.down2_snn, self.down3_snn = (DownLayer(c, tau) for c in (32, 64, 128))
        self.residualBlock_snn = ResidualBlock(256, tau)
        self.up1_snn, self.up2_snn, self.up3_snn = (ConvLayer(2 * c, c // 2, 1, tau) for c in (256, 128, 64))
        self.temporalflat_snn = Head(64, joints)
        self.conv1_cnn = nn.Conv2d(frame_channels, 32, 7, padding=3)
        self.conv2_cnn = nn.Conv2d(32, 32, 7, padding=3)
        for i in range(5):
            self.add_module(f'down{i + 1}_cnn', Down(LEVELS[i], LEVELS[i + 1], 5 if i == 0 else 3))
            self.add_module(f'up{i + 1}_cnn', Up(LEVELS[5 - i], LEVELS[4 - i]))
        self.conv3_cnn = nn.Conv2d(32, joints, 3, padding=1)
        for name, in_channels, channels in STATES:
            self.add_module(name, StateNet(in_channels, channels))

    def neurons(self) -> list[neuron.LIFNode]:
        """In the order of the state nets."""
        return [self.static_conv_snn.activation, self.down1_snn.conv.activation, self.down2_snn.conv.activation,
                self.down3_snn.conv.activation, self.residualBlock_snn.activation1, self.residualBlock_snn.activation2,
                self.up1_snn.activation, self.up2_snn.activation, self.up3_snn.activation]

    def look(self, frame: Tensor) -> Tensor:
        """[N, C, H, W] -> the CNN's maps; sets output and membranes."""
        functional.reset_net(self)
        x = F.leaky_relu(self.conv2_cnn(F.leaky_relu(self.conv1_cnn(frame), 0.1)), 0.1)
        downs, ups = [x], []
        for i in range(5):
            downs.append(getattr(self, f'down{i + 1}_cnn')(downs[-1]))
        x = downs[5]
        for i in range(5):
            x = getattr(self, f'up{i + 1}_cnn')(x, downs[4 - i])
            ups.append(x)
        for (name, *_), node, feature in zip(STATES, self.neurons(), [*downs[:4], *ups], strict=True):
            node.v = getattr(self, name)(feature)
        self.output = self.conv3_cnn(x).detach()
        return self.output

    def step(self, events: Tensor) -> Tensor:
        """One bin [N, 2, H, W] -> maps."""
        static = self.static_conv_snn(events)
        down1 = self.down1_snn(static)
        down2 = self.down2_snn(down1)
        down3 = self.down3_snn(down2)
        x = self.residualBlock_snn(down3)
        x = self.up1_snn(enlarge(torch.cat([x, down3], 1)))
        x = self.up2_snn(enlarge(torch.cat([x, down2], 1)))
        x = self.up3_snn(enlarge(torch.cat([x, down1], 1)))
        self.output = self.decay * self.output + self.temporalflat_snn(torch.cat([x, static], 1))
        return self.output

    def forward(self, frame: Tensor, bins: Tensor) -> Tensor:
        """[N, C, H, W], [T, N, 2, H, W] -> maps [T, N, K, H, W]."""
        self.look(frame)
        return torch.stack([self.step(events) for events in bins])
