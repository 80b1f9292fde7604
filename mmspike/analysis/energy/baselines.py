"""What else the same topology could be: an ANN, with dense or with few-bit activations; and when spikes win."""
from dataclasses import dataclass
from math import ceil, log2

from torch import nn

from mmspike.analysis.energy.account import Account
from mmspike.analysis.energy.energy_models import Energy, EnergyModel, energy_of


@dataclass(frozen=True)
class Baseline:
    """An alternative to the spiking network.

    Args:
        name: what it is.
        energy: of one sample.
        break_even: density of the inputs of the spiking layers (the spike rate, seen from the layer) up to which
            spikes need less for their operations than the alternative for the same layers; None where nothing spikes.
        break_even_total: the same where membrane updates and memory count too; below 0: never.
    """

    name: str
    energy: Energy
    break_even: float | None
    break_even_total: float | None


def still_steps(model: nn.Module, account: Account) -> int | None:
    """T, if the model chose it itself, for an input that stays the same: then an ANN would run once.

    In this library such a T is an attribute ``num_steps``. Where the input brings its own time steps (frames, events),
    an ANN has to look at each of them, too.
    """
    chosen = {module.num_steps for module in model.modules() if isinstance(getattr(module, 'num_steps', None), int)}
    return account.steps if account.steps in chosen and account.steps > 1 else None


def bits_for(steps: int) -> int:
    """Bits of an activation that says as much as the number of spikes in T steps, 0 to T: ceil(log2(T + 1)).

    Source: Yan et al. 2024 (arXiv 2409.08290).
    """
    return ceil(log2(steps + 1))


def baselines(account: Account, model: EnergyModel, still: int | None) -> list[Baseline]:
    """The alternatives to a network with spiking layers; none where nothing spikes.

    Args:
        account: what the network did.
        model: the energy model.
        still: T of a still input, see :func:`still_steps`.
    """
    if not any(layer.spiking for layer in account.layers.values()):
        return []
    steps, found = account.steps, []
    bits = bits_for(steps)
    runs = [('at every time step', 1)] + ([('run once', still)] if still else [])
    for words, times in runs:
        found.append((f'the same topology as an ANN, {words}', times, model.bits))
        found.append((f'the same, {words}, activations of {bits} bit{"s" * (bits > 1)}', times, bits))
    return [_baseline(name, account, model, times, bits) for name, times, bits in found]


def _baseline(name: str, account: Account, model: EnergyModel, times: int, bits: int) -> Baseline:
    spiking = [layer for layer in account.layers.values() if layer.spiking]
    # An array multiplier has as many rows as one of its operands has bits
    mac = model.add_pj + model.multiply_pj * min(bits, model.bits) / model.bits
    alternative = Energy(folded=sum(account.folded.values()) / times * model.mac_pj)
    for layer in account.layers.values():
        share, width, cost = (times, bits, mac) if layer.spiking else (1, model.bits, model.mac_pj)
        memory = (model.moved('activations', sum(x.elements for x in layer.received) / share, width)
                  + model.moved('activations', layer.outputs / share, width)
                  + model.moved('weights', layer.weights * layer.calls, model.bits))
        alternative += Energy(macs=layer.dense / share * cost, memory=memory)
    ours = energy_of(account, model)
    possible = sum(layer.dense for layer in spiking) * model.add_pj  # if all inputs were spikes
    fixed = ours.total - ours.acs
    return Baseline(name, alternative.over(account.samples),
                    sum(layer.dense for layer in spiking) / times * mac / possible,
                    (alternative.total - fixed) / possible)
