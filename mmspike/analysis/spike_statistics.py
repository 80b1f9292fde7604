"""Spikes by channel of every population of neurons while a model trains: rates, and who never or always fires."""
from typing import NamedTuple

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from mmspike.analysis.spikes import firing_neurons


class Statistics(NamedTuple):
    """One population of neurons.

    Args:
        rates: spikes per neuron at each step, float64 [T].
        dead: share of channels that never fired.
        saturated: share of channels that always fired.
    """

    rates: Tensor
    dead: float
    saturated: float

    @property
    def rate(self) -> float:
        """Spikes per neuron and step."""
        return float(self.rates.mean())


class SpikeStatistics:
    """Record spikes by time step and channel of all spiking neurons of a model while it runs; a context manager.

    The neurons of a channel share their weights, so that it is channels that are dead or saturated. Whatever runs
    inside is added up, and :meth:`results` adds up all processes. No module carries a hook (a hook would make training
    keep spikes in full precision), and nothing is synchronised while the model runs.

    Args:
        model: any module; it is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        self._neurons = firing_neurons(model)
        self._spikes: dict[str, Tensor] = {}
        self._elements: dict[str, int] = {}  # outputs of each channel at each step
        self._handle = None

    def __enter__(self) -> 'SpikeStatistics':
        self._handle = register_module_forward_hook(self._record)
        return self

    def __exit__(self, *exc) -> None:
        self._handle.remove()

    def results(self) -> dict[str, Statistics]:
        """Of each population, by module name, over all processes, which all have to ask."""
        spikes, elements = self._spikes, self._elements
        if get_world_size() > 1 and spikes:
            counts = [torch.tensor([float(elements[name])], dtype=torch.float64, device=table.device)
                      for name, table in spikes.items()]
            flat = torch.cat([*(table.flatten() for table in spikes.values()), *counts])
            all_reduce(flat)
            parts = flat.split([*(table.numel() for table in spikes.values()), *[1] * len(counts)])
            tables, counts = parts[:len(spikes)], parts[len(spikes):]
            elements = {name: float(n) for name, n in zip(spikes, counts, strict=True)}
            spikes = {name: part.view(table.shape)
                      for (name, table), part in zip(spikes.items(), tables, strict=True)}
        return {name: _statistics(table.cpu(), elements[name]) for name, table in spikes.items()}

    @torch.no_grad()
    def _record(self, module: nn.Module, args: tuple, output: object) -> None:
        name = self._neurons.get(module)
        if name is None:
            return
        spikes = (output[0] if isinstance(output, tuple) else output).detach()
        channel = 3 if spikes.ndim == 4 else min(2, spikes.ndim - 1)  # tokens [T, B, N, D], else [T, B, C, ...]
        others = [axis for axis in range(1, spikes.ndim) if axis != channel]
        table = spikes.abs().sum(others, dtype=torch.float64) if others else spikes.abs().double()  # [T, C]
        known = self._spikes.get(name)
        if known is not None and known.shape != table.shape:
            raise ValueError(f'SpikeStatistics: {name} ran with T, C = {tuple(known.shape)} and then with '
                             f'{tuple(table.shape)} in one recording; record calls of one kind.')
        self._spikes[name] = table if known is None else known + table
        self._elements[name] = self._elements.get(name, 0) + spikes[0].numel() // table.shape[1]


def _statistics(table: Tensor, elements: float) -> Statistics:
    """Of spikes [T, C], where each entry is a sum over so many outputs."""
    channels = table.sum(0)
    return Statistics(table.mean(1) / elements, float((channels == 0).double().mean()),
                      float((channels >= elements * len(table)).double().mean()))
