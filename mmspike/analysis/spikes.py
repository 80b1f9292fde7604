"""Firing rates of every spiking neuron of a model, seen from outside: model -> forward hooks -> rate per time step."""
import torch
from torch import Tensor, nn

from mmspike.neurons import SpikingNeuron


def firing_neurons(model: nn.Module) -> dict[SpikingNeuron, str]:
    """The neurons of a model whose output is spikes, and their names."""
    return {module: name or type(module).__name__ for name, module in model.named_modules()
            if isinstance(module, SpikingNeuron) and module.fires}


def spikes_per_step(output: Tensor) -> Tensor:
    """Spikes of all neurons at each step, float64 [T]; an output of -1 counts as one spike and one of 3 as three."""
    return output.detach().abs().reshape(len(output), -1).sum(1, dtype=torch.float64)


class SpikeRecorder:
    """Record the firing rates of all :class:`~mmspike.neurons.SpikingNeuron` of a model while it runs.

    Use it as a context manager; whatever runs inside is added up, over calls of the model and over batches::

        with SpikeRecorder(model) as spikes:
            model(x)
        spikes.rates  # {'backbone.snn.layer1.0.lif1': tensor([0.08, 0.11, 0.10]), ...}

    Neurons that never fire (:class:`~mmspike.neurons.LeakyIntegrator`) are left out. A stream that is fed in pieces
    counts each piece from its own first step.

    Args:
        model: any module; it is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        self._neurons = firing_neurons(model)
        self._spikes: dict[str, Tensor] = {}
        self._elements: dict[str, Tensor] = {}
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> 'SpikeRecorder':
        self._hooks += [module.register_forward_hook(self._record) for module in self._neurons]
        return self

    def __exit__(self, *exc) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    @property
    def rates(self) -> dict[str, Tensor]:
        """Spikes per neuron at each time step, float64 [T] on the CPU, by module name in the order of the first call.

        An output of -1 counts as one spike and one of 3 as three.
        """
        return {name: (spikes / self._elements[name]).cpu() for name, spikes in self._spikes.items()}

    @property
    def elements(self) -> dict[str, Tensor]:
        """Neuron outputs that went into each rate, float64 [T]: samples x neurons, over all calls, by module name."""
        return {name: elements.cpu() for name, elements in self._elements.items()}

    def _record(self, module: nn.Module, args, output) -> None:
        spikes = output[0] if isinstance(output, tuple) else output
        per_step = spikes_per_step(spikes)  # stays on the device: no synchronisation per layer
        name = self._neurons[module]
        self._add(self._spikes, name, per_step)
        self._add(self._elements, name, torch.full_like(per_step, spikes[0].numel()))

    @staticmethod
    def _add(total: dict[str, Tensor], name: str, new: Tensor) -> None:
        old = total.get(name)
        if old is None:
            total[name] = new
            return
        length = max(len(old), len(new))  # calls may differ in T
        total[name] = sum(nn.functional.pad(a, (0, length - len(a))) for a in (old, new))
