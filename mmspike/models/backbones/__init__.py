from .clip_vision import CLIPVision
from .respike import ReSpike
from .spiking_resnet import SpikingResNet
from .spikingformer import Spikingformer

__all__ = ['CLIPVision', 'ReSpike', 'SpikingResNet', 'Spikingformer']
