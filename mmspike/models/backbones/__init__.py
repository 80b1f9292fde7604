from .calabrese import CalabreseCNN
from .clip_vision import CLIPVision
from .convlstm_unet import ConvLSTMUNet
from .pose_unet import PoseUNet
from .respike import ReSpike
from .spiking_resnet import SpikingResNet
from .spiking_unet import SpikingUNet
from .spikingformer import Spikingformer

__all__ = ['CLIPVision', 'CalabreseCNN', 'ConvLSTMUNet', 'PoseUNet', 'ReSpike', 'SpikingResNet', 'SpikingUNet',
           'Spikingformer']
