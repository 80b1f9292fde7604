from .respike import ReSpike
from .spiking_resnet import SpikingResNet

__all__ = ['ReSpike', 'SpikingResNet']
