from .respike import ReSpike
from .spiking_resnet import SpikingResNet
from .spikingformer import Spikingformer

__all__ = ['ReSpike', 'SpikingResNet', 'Spikingformer']
