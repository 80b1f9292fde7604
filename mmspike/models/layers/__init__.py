from . import neuron  # noqa: F401  (registers the neurons)
from .fusion import CrossAttentionFusion
from .key_frames import split_key_frames
from .norm import StepBatchNorm2d
from .time import per_step

__all__ = ['CrossAttentionFusion', 'StepBatchNorm2d', 'per_step', 'split_key_frames']
