"""The account of a model on some samples, with estimates of its energy: figures first, words for them elsewhere."""
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from torch import nn

from mmspike.analysis.energy.account import Account
from mmspike.analysis.energy.baselines import baselines, bits_for, still_steps
from mmspike.analysis.energy.conventions import CONVENTIONS
from mmspike.analysis.energy.energy_models import (
    DEFAULT,
    SKIPS,
    EnergyModel,
    energy_models,
    energy_of,
    layer_energy,
    neuron_energy,
)

MJ = 1e-9
"""Millijoules of a picojoule."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model holds, whatever it is given.

    Args:
        parameters: numbers.
        parameter_bytes: of them.
        buffer_bytes: of the rest of a state dict, such as running statistics.
        still: T of a still input, see :func:`mmspike.analysis.energy.baselines.still_steps`.
    """

    parameters: int
    parameter_bytes: int
    buffer_bytes: int
    still: int | None

    @classmethod
    def of(cls, model: nn.Module, account: Account) -> 'ModelFacts':
        return cls(sum(p.numel() for p in model.parameters()),
                   sum(p.numel() * p.element_size() for p in model.parameters()),
                   sum(b.numel() * b.element_size() for b in model.buffers()), still_steps(model, account))


@dataclass
class EnergyReport:
    """What a model did on some samples, and what that costs.

    Args:
        samples: the account of each, or of each batch.
        facts: of the model.
        provenance: name -> what was measured on, for the reader.
        warnings: what makes the figures say nothing of a trained model on real data.
        compared: other models on the same samples, by name.
        models: energy models (default: all); the first is that of the table of layers.
    """

    samples: Sequence[Account]
    facts: ModelFacts
    provenance: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    compared: dict[str, Account] = field(default_factory=dict)
    models: Sequence[EnergyModel] = field(default_factory=energy_models)

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError('EnergyReport: no sample was counted; give at least one.')
        self.total = sum(self.samples[1:], self.samples[0])

    def to_dict(self) -> dict:
        """All figures, per sample, for a JSON file."""
        total, count = self.total, self.total.samples
        return dict(
            warnings=self.warnings, provenance=self.provenance, samples=count, steps=total.steps, model=self._model(),
            operations=self._operations(), energy=[self._energy(model) for model in self.models],
            conventions=[convention.of(total, self.facts.still) for convention in CONVENTIONS],
            compared=[self._compared(name, account) for name, account in self.compared.items()],
            layers=self._layers(), neurons=self._neurons(), coverage=self._coverage(), measured_gpu_energy=None)

    def _model(self) -> dict:
        total = self.total
        return dict(asdict(self.facts), state_bytes=sum(map(self._state_bytes, total.neurons)),
                    activation_sparsity=total.activation_sparsity, connection_sparsity=total.connection_sparsity,
                    ann_bits=bits_for(total.steps) if total.neurons else None)

    def _state_bytes(self, name: str) -> float:
        """Of the membranes of a population for one sample."""
        return max(part.neurons[name].state_bytes / part.samples for part in self.samples if name in part.neurons)

    def _operations(self) -> dict:
        """Mean over samples, and their standard deviation."""
        figures = {}
        parts = [part.seen_as(self.total) for part in self.samples]
        for name in ('dense', 'macs', 'effective_macs', 'acs'):
            figures[name] = _mean_and_deviation([part.sum(name) / part.samples for part in parts])
        figures['neuron_updates'] = _mean_and_deviation([part.updates / part.samples for part in parts])
        spiking = [layer for layer in self.total.layers.values() if layer.spiking]
        dense = sum(layer.dense for layer in spiking)
        figures['dense_of_spiking_layers'] = dense / self.total.samples
        figures['density_of_spiking_layers'] = sum(layer.effective for layer in spiking) / dense if dense else None
        figures['folded'] = {name: value / self.total.samples for name, value in self.total.folded.items()}
        return figures

    def _energy(self, model: EnergyModel) -> dict:
        parts = [part.seen_as(self.total) for part in self.samples]
        estimates = [energy_of(part, model).over(part.samples) for part in parts]
        total = energy_of(self.total, model).over(self.total.samples)
        alternatives = [dict(name=name, synaptic_mj=energy.synaptic * MJ, total_mj=energy.total * MJ)
                        for name, energy in ((_SKIP_NAMES[skip], energy_of(self.total, model, skip)
                                              .over(self.total.samples)) for skip in SKIPS)]
        alternatives += [dict(name=b.name, synaptic_mj=b.energy.synaptic * MJ, total_mj=b.energy.total * MJ,
                              break_even=b.break_even, break_even_total=b.break_even_total)
                         for b in baselines(self.total, model, self.facts.still)]
        return dict(asdict(model), mac_pj=model.mac_pj, synaptic_mj=_in_mj([e.synaptic for e in estimates]),
                    total_mj=_in_mj([e.total for e in estimates]),
                    parts_mj={name: value * MJ for name, value in asdict(total).items()}, alternatives=alternatives)

    def _compared(self, name: str, account: Account) -> dict:
        energies = {model.name: energy_of(account, model).over(account.samples) for model in self.models}
        return dict(name=name, samples=account.samples, dense=account.sum('dense') / account.samples,
                    macs=account.sum('macs') / account.samples, acs=account.sum('acs') / account.samples,
                    energy_mj={model: dict(synaptic=energy.synaptic * MJ, total=energy.total * MJ)
                               for model, energy in energies.items()})

    def _layers(self) -> list[dict]:
        count, model = self.total.samples, self.models[0]
        return [dict(name=layer.name, operator=layer.operator, dense=layer.dense / count,
                     effective=layer.effective / count, macs=layer.macs / count, acs=layer.acs / count,
                     bias=layer.bias / count, calls=layer.calls / count,
                     received=[dict(kind=x.kind, value=x.value, density=x.density) for x in layer.received],
                     counted_as='accumulate' if layer.spiking else 'multiply-accumulate', weights=layer.weights,
                     weight_bytes=layer.weight_bytes, weight_zeros=layer.weight_zeros, feeds=layer.feeds,
                     energy_mj=layer_energy(layer, model).over(count).total * MJ)
                for layer in self.total.layers.values()]

    def _neurons(self) -> list[dict]:
        count, model = self.total.samples, self.models[0]
        return [dict(name=n.name, fires=n.fires, updates=n.updates / count, state_bytes=self._state_bytes(n.name),
                     rate=n.rate if n.fires else None, rates=n.rates if n.fires else None,
                     energy_mj=neuron_energy(n, model).over(count).total * MJ)
                for n in self.total.neurons.values()]

    def _coverage(self) -> dict:
        total, count = self.total, self.total.samples
        return dict(share=total.coverage, counted=(total.sum('dense') + sum(total.folded.values())) / count,
                    uncounted={name: dict(multiplications=value / count, known=name not in total.unknown)
                               for name, value in sorted(total.uncounted.items(), key=lambda item: -item[1])})


_SKIP_NAMES = {'spikes': 'this network; absent spikes cost nothing', 'all': 'this network; all zeros cost nothing',
               'none': 'this network on a device for dense networks'}


def default_models(names: Sequence[str] | None) -> list[EnergyModel]:
    """The energy models to report, with the usual one first."""
    models = energy_models(names)
    return models if names else sorted(models, key=lambda model: model.name != DEFAULT)


def _mean_and_deviation(values: Sequence[float]) -> dict[str, float | None]:
    return dict(mean=statistics.fmean(values), std=statistics.stdev(values) if len(values) > 1 else None)


def _in_mj(values: Sequence[float]) -> dict[str, float | None]:
    return {name: None if value is None else value * MJ for name, value in _mean_and_deviation(values).items()}
