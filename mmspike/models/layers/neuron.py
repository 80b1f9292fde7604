"""The spiking neurons under their names in configs: ``neuron=dict(type='LIF', tau=2.0)``."""
from mmspike.neurons import IF, LIF, LeakyIntegrator, ParametricLIF, SpikingJellyNeuron
from mmspike.registry import MODELS

for _neuron in (LIF, IF, ParametricLIF, LeakyIntegrator, SpikingJellyNeuron):
    MODELS.register_module(module=_neuron)
