"""What was counted: per layer, per population of neurons, and in all."""
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from mmspike.analysis.energy.received import UNSEEN, Received


@dataclass(frozen=True)
class LayerCount:
    """Sums of products of one place in the model: a layer's weights, or a product of two activations.

    Args:
        name: module path of the weights; of the module, with what it is in brackets, where there are none.
        operator: of aten.
        dense: products, also those with 0: the multiply-accumulates of a device that skips nothing.
        effective: products whose two factors are not 0.
        bias: additions of a bias.
        outputs: values computed.
        calls: times that the weights were used, times the samples of the batch.
        received: what the activations were, one or two.
        weights: how many; 0 where both operands are activations.
        weight_zeros: zeros among them.
        weight_bytes: of all of them.
        first: whether no neuron of the model had run before: an encoder of the input.
        feeds: the population of neurons that ran next, before any other layer; '' where there is none.
    """

    name: str
    operator: str
    dense: int = 0
    effective: int = 0
    bias: int = 0
    outputs: int = 0
    calls: int = 0
    received: tuple[Received, ...] = ()
    weights: int = 0
    weight_zeros: int = 0
    weight_bytes: int = 0
    first: bool = False
    feeds: str = ''

    @property
    def spiking(self) -> bool:
        """Whether an operand is spikes, over all that was seen: then a product is an addition."""
        return any(operand.spikes for operand in self.received)

    @property
    def spikes(self) -> Received:
        """The operand that makes it an addition, or the first."""
        return next((operand for operand in self.received if operand.spikes), self.received[0])

    @property
    def macs(self) -> int:
        """Multiply-accumulates, those with 0 too: a device that multiplies does not look."""
        return 0 if self.spiking else self.dense

    @property
    def effective_macs(self) -> int:
        """Multiply-accumulates without a factor 0."""
        return 0 if self.spiking else self.effective

    @property
    def acs(self) -> int:
        """Accumulates: one for each spike and each weight that it meets."""
        return self.effective if self.spiking else 0

    def __add__(self, other: 'LayerCount') -> 'LayerCount':
        summed = {name: getattr(self, name) + getattr(other, name)
                  for name in ('dense', 'effective', 'bias', 'outputs', 'calls')}
        received = tuple(a + b for a, b in zip(self.received, other.received, strict=True))
        return replace(self, **summed, received=received, feeds=self.feeds or other.feeds)


@dataclass(frozen=True)
class NeuronCount:
    """One population of spiking neurons.

    Args:
        name: module path.
        fires: whether it gives spikes; otherwise its membrane.
        updates: membrane updates: neurons times steps.
        state: neurons, each with a membrane, of one call.
        state_bytes: of their membranes.
        spikes: at each step, float64 [T]; -1 is one spike, 3 are three.
        elements: neuron outputs at each step, float64 [T].
    """

    name: str
    fires: bool
    updates: int
    state: int
    state_bytes: int
    spikes: Tensor
    elements: Tensor

    @property
    def rates(self) -> list[float]:
        """Spikes per neuron at each step."""
        return (self.spikes / self.elements.clamp(min=1)).tolist()

    @property
    def rate(self) -> float:
        """Spikes per neuron and step."""
        return float(self.spikes.sum() / self.elements.sum().clamp(min=1))

    def __add__(self, other: 'NeuronCount') -> 'NeuronCount':
        length = max(len(self.spikes), len(other.spikes))  # calls may differ in T
        steps = {name: sum(torch.nn.functional.pad(getattr(y, name), (0, length - len(y.spikes)))
                           for y in (self, other)) for name in ('spikes', 'elements')}
        return replace(self, updates=self.updates + other.updates, state=max(self.state, other.state),
                       state_bytes=max(self.state_bytes, other.state_bytes), **steps)


@dataclass
class Account:
    """All that a model did on some samples.

    Args:
        samples: how many.
        layers: in the order in which they first ran.
        neurons: likewise.
        folded: multiply-accumulates of norms and interpolations, by operator.
        uncounted: multiplications that are not counted, by operator.
        unknown: operators without a rule, among those of ``uncounted``.
        activations: outputs of neurons and of activation functions.
        active: those that are not 0.
    """

    samples: int = 0
    layers: dict[str, LayerCount] = field(default_factory=dict)
    neurons: dict[str, NeuronCount] = field(default_factory=dict)
    folded: dict[str, int] = field(default_factory=dict)
    uncounted: dict[str, int] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    activations: int = 0
    active: int = 0

    def add_layer(self, count: LayerCount) -> None:
        known = self.layers.get(count.name)
        self.layers[count.name] = count if known is None else known + count

    def add_neurons(self, count: NeuronCount) -> None:
        known = self.neurons.get(count.name)
        self.neurons[count.name] = count if known is None else known + count

    def __add__(self, other: 'Account') -> 'Account':
        total = Account(self.samples + other.samples, dict(self.layers), dict(self.neurons), dict(self.folded),
                        dict(self.uncounted), self.unknown | other.unknown, self.activations + other.activations,
                        self.active + other.active)
        for count in other.layers.values():
            total.add_layer(count)
        for count in other.neurons.values():
            total.add_neurons(count)
        for mine, theirs in ((total.folded, other.folded), (total.uncounted, other.uncounted)):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0) + value
        return total

    def part(self, samples: int) -> 'Account':
        """So many of the samples, as if all were alike."""
        if samples == self.samples:
            return self
        share = samples / self.samples
        layers = {name: _scaled(replace(layer, received=tuple(_scaled(x, share) for x in layer.received)), share)
                  for name, layer in self.layers.items()}
        neurons = {name: _scaled(count, share) for name, count in self.neurons.items()}
        return replace(_scaled(self, share), samples=samples, layers=layers, neurons=neurons,
                       folded={name: value * share for name, value in self.folded.items()},
                       uncounted={name: value * share for name, value in self.uncounted.items()})

    def seen_as(self, total: 'Account') -> 'Account':
        """The same with each layer taken for what it is in ``total``: what a single sample holds may be a special
        case."""
        layers = {name: replace(count, received=tuple(
            replace(mine, kind=theirs.kind, value=theirs.value)
            for mine, theirs in zip(count.received, total.layers[name].received, strict=True)))
            for name, count in self.layers.items()}
        return replace(self, layers=layers)

    @property
    def values_seen(self) -> bool:
        """False where the model ran on tensors without values: then only dense counts say something."""
        return not any(operand.kind == UNSEEN for layer in self.layers.values() for operand in layer.received)

    def sum(self, what: str) -> int:
        """Of one count over all layers: ``dense``, ``macs``, ``effective_macs``, ``acs``, ``bias``..."""
        return sum(getattr(layer, what) for layer in self.layers.values())

    @property
    def updates(self) -> int:
        """Of membranes."""
        return sum(count.updates for count in self.neurons.values())

    @property
    def steps(self) -> int:
        """T: time steps of the population of spiking neurons with most updates; 1 where there are none."""
        firing = [count for count in self.neurons.values() if count.fires]
        return len(max(firing, key=lambda count: count.updates).spikes) if firing else 1

    @property
    def coverage(self) -> float:
        """Counted multiply-accumulates as a share of these and of what may be some and was not counted."""
        counted = self.sum('dense') + sum(self.folded.values())
        return counted / max(counted + sum(self.uncounted.values()), 1)

    @property
    def activation_sparsity(self) -> float:
        """Share of zeros in the outputs of neurons and activation functions.

        Source: NeuroBench (arXiv 2304.04640), activation sparsity: over all layers, time steps and samples.
        """
        return 1 - self.active / self.activations if self.activations else 0.0

    @property
    def connection_sparsity(self) -> float:
        """Share of zeros in the weights of all layers that ran.

        Source: NeuroBench (arXiv 2304.04640).
        """
        weights = sum(layer.weights for layer in self.layers.values())
        return sum(layer.weight_zeros for layer in self.layers.values()) / weights if weights else 0.0


SUMS = {'dense', 'effective', 'bias', 'outputs', 'calls', 'elements', 'nonzeros', 'updates', 'state', 'state_bytes',
        'spikes', 'activations', 'active'}
"""What doubles with the samples of a batch."""


def _scaled(count: object, share: float) -> object:
    return replace(count, **{f.name: getattr(count, f.name) * share for f in fields(count) if f.name in SUMS})
