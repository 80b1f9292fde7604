from . import neuron  # noqa: F401  (registers the neurons)
from .fusion import CrossAttentionFusion
from .key_frames import split_key_frames
from .norm import StepBatchNorm2d
from .saving import conv_of_spikes, norm_and_fire
from .time import per_step

__all__ = ['CrossAttentionFusion', 'StepBatchNorm2d', 'conv_of_spikes', 'norm_and_fire', 'per_step', 'split_key_frames']
