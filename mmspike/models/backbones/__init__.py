from .pose_unet import PoseUNet
from .respike import ReSpike
from .spiking_resnet import SpikingResNet
from .spikingformer import Spikingformer

__all__ = ['PoseUNet', 'ReSpike', 'SpikingResNet', 'Spikingformer']
