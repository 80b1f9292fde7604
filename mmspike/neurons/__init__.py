"""The kernel: spiking neurons as functions ``(x, v) -> (spikes, v)`` and thin modules over them.

Imports nothing else of mmspike.
"""
from mmspike.neurons.backends import backend
from mmspike.neurons.functional import if_, leaky_integrator, lif, plif
from mmspike.neurons.modules import IF, LIF, LeakyIntegrator, ParametricLIF, SpikingNeuron
from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.spikingjelly import SpikingJellyNeuron
from mmspike.neurons.surrogate import surrogates

__all__ = ['IF', 'LIF', 'LeakyIntegrator', 'NeuronSettings', 'ParametricLIF', 'SpikingJellyNeuron', 'SpikingNeuron',
           'backend', 'if_', 'leaky_integrator', 'lif', 'plif', 'surrogates']
