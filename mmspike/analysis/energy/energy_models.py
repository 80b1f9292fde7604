"""From counts to joules: named energy models, which are data, and what each says of a layer."""
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path

from mmspike.analysis.energy.account import Account, LayerCount, NeuronCount

FILE = Path(__file__).with_name('energy_models.json')
SKIPS = ('spikes', 'all', 'none')
DEFAULT = '45nm-fp32'


@dataclass(frozen=True)
class EnergyModel:
    """Energy per operation of one technology and number format.

    Args:
        name: in the command line and in reports.
        title: what it is.
        multiply_pj: of one multiplication, pJ.
        add_pj: of one addition, pJ: an accumulate.
        bits: of a number.
        memory_pj_per_byte: of ``weights``, ``activations`` and ``membranes``; empty: arithmetic alone.
        source: publication of the constants.
        note: what to know.
    """

    name: str
    title: str
    multiply_pj: float
    add_pj: float
    bits: int
    memory_pj_per_byte: dict[str, float] = field(default_factory=dict)
    source: str = ''
    note: str = ''

    @property
    def mac_pj(self) -> float:
        """Of one multiply-accumulate."""
        return self.multiply_pj + self.add_pj

    def moved(self, what: str, numbers: float, bits: float) -> float:
        """pJ of moving so many numbers once."""
        return self.memory_pj_per_byte.get(what, 0.0) * numbers * bits / 8


@dataclass(frozen=True)
class Energy:
    """An estimate, in pJ.

    Args:
        macs: multiply-accumulates of layers.
        acs: accumulates of layers.
        neurons: membrane updates.
        folded: norms and interpolations.
        memory: moving weights, activations and membranes.
    """

    macs: float = 0.0
    acs: float = 0.0
    neurons: float = 0.0
    folded: float = 0.0
    memory: float = 0.0

    @property
    def synaptic(self) -> float:
        """What the papers of the field count: the operations of layers."""
        return self.macs + self.acs

    @property
    def total(self) -> float:
        return sum(asdict(self).values())

    def __add__(self, other: 'Energy') -> 'Energy':
        return Energy(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    def over(self, samples: float) -> 'Energy':
        """Of one of so many samples."""
        return Energy(*(value / samples for value in asdict(self).values()))


def energy_models(names: Sequence[str] | None = None) -> list[EnergyModel]:
    """The energy models of these names, or all.

    Raises:
        ValueError: a name that does not exist.
    """
    known = {entry['name']: EnergyModel(**entry) for entry in json.loads(FILE.read_text(encoding='utf-8'))}
    for name in names or ():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ValueError(f'no energy model is called {name!r}.{f" Did you mean {near[0]!r}?" if near else ""} '
                             f'Known: {", ".join(known)}.')
    return [known[name] for name in names] if names else list(known.values())


def layer_energy(layer: LayerCount, model: EnergyModel, skip: str = 'spikes') -> Energy:
    """Of one layer.

    Args:
        layer: its counts.
        model: the energy model.
        skip: which zeros cost nothing. ``'spikes'``: no operation where a spike is missing, a multiply-accumulate for
            each real value, 0 or not; ``'all'``: no operation with any zero; ``'none'``: a multiply-accumulate for
            each product, as on a device for dense networks.
    """
    if skip == 'none' or (skip == 'spikes' and not layer.spiking):
        compute = Energy(macs=layer.dense * model.mac_pj)
    else:
        compute = Energy(macs=layer.effective_macs * model.mac_pj, acs=layer.acs * model.add_pj)
    inputs = sum(model.moved('activations', x.elements, 1 if x.spikes and skip != 'none' else model.bits)
                 for x in layer.received)
    memory = (inputs + model.moved('activations', layer.outputs, model.bits)
              + model.moved('weights', layer.weights * layer.calls, model.bits))
    return compute + Energy(memory=memory)


def neuron_energy(neurons: NeuronCount, model: EnergyModel) -> Energy:
    """Of one population: a multiply-accumulate (leak, input) and an addition (threshold, reset) per update.

    With a memory: the input is read, the membrane read and written, the spike written.
    """
    memory = (model.moved('activations', neurons.updates, model.bits + (1 if neurons.fires else model.bits))
              + model.moved('membranes', 2 * neurons.updates, model.bits))
    return Energy(neurons=neurons.updates * (model.mac_pj + model.add_pj), memory=memory)


def energy_of(account: Account, model: EnergyModel, skip: str = 'spikes') -> Energy:
    """Of all samples of an account together."""
    if skip not in SKIPS:
        raise ValueError(f'energy_of: skip={skip!r}; expected one of {", ".join(map(repr, SKIPS))}.')
    parts = [layer_energy(layer, model, skip) for layer in account.layers.values()]
    parts += [neuron_energy(neurons, model) for neurons in account.neurons.values()]
    return sum(parts, Energy(folded=sum(account.folded.values()) * model.mac_pj))
