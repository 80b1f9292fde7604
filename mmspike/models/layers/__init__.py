from . import neuron, phrases, sequence_decoder  # noqa: F401  (register neurons, vectors of phrases, the decoder)
from .fusion import CrossAttentionFusion
from .key_frames import split_key_frames
from .norm import StepBatchNorm2d
from .saving import conv_of_spikes, linear_of_spikes, norm_and_fire, norm_and_run, normalise
from .spiking_attention import SpikingSelfAttention
from .spiking_mlp import SpikingMLP
from .spiking_tokenizer import SpikingTokenizer
from .state_initializer import StateInitializer
from .time import per_step

__all__ = ['CrossAttentionFusion', 'SpikingMLP', 'SpikingSelfAttention', 'SpikingTokenizer', 'StateInitializer',
           'StepBatchNorm2d', 'conv_of_spikes', 'linear_of_spikes', 'norm_and_fire', 'norm_and_run', 'normalise',
           'per_step', 'split_key_frames']
