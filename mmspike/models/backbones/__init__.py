from .calabrese import CalabreseCNN
from .convlstm_unet import ConvLSTMUNet
from .pose_unet import PoseUNet
from .respike import ReSpike
from .spiking_resnet import SpikingResNet
from .spiking_unet import SpikingUNet
from .spikingformer import Spikingformer

__all__ = ['CalabreseCNN', 'ConvLSTMUNet', 'PoseUNet', 'ReSpike', 'SpikingResNet', 'SpikingUNet', 'Spikingformer']
