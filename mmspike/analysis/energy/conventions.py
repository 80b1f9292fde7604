"""How the papers count, for comparison with their tables; each leaves out something, which its note says."""
from collections.abc import Callable
from typing import NamedTuple

from mmspike.analysis.energy.account import Account, LayerCount


class Convention(NamedTuple):
    """A paper's way of counting.

    Args:
        name: of the paper.
        mac_pj: its energy of a multiply-accumulate.
        ac_pj: its energy of an accumulate.
        count: ``(account, still steps or None) -> (multiply-accumulates, accumulates)``, of all samples together.
        note: what it does otherwise than the counts.
    """

    name: str
    mac_pj: float
    ac_pj: float
    count: Callable[[Account, int | None], tuple[float, float]]
    note: str

    def of(self, account: Account, still: int | None) -> dict:
        """Operations and mJ of one sample."""
        macs, acs = (value / account.samples for value in self.count(account, still))
        return dict(name=self.name, macs=macs, acs=acs, energy_mj=(macs * self.mac_pj + acs * self.ac_pj) * 1e-9,
                    note=self.note)


def usual(account: Account, still: int | None) -> tuple[float, float]:
    """Multiply-accumulates of layers with real input, and density of the input times operations for spikes."""
    macs = sum(layer.dense for layer in account.layers.values() if not layer.spiking)
    return macs, sum(layer.dense * layer.spikes.density for layer in account.layers.values() if layer.spiking)


def spikingformer(account: Account, still: int | None) -> tuple[float, float]:
    """As the published script: biases count as operations, and what encodes a still image counts T times.

    The first product of the attention, of two spikes, counts with the lower of both rates.
    """
    macs = acs = 0.0
    for layer in account.layers.values():
        if layer.spiking:
            acs += (layer.dense + layer.bias) * min(x.density for x in layer.received if x.spikes)
        else:
            macs += (layer.dense + layer.bias) * (still or 1 if layer.first else 1)
    return macs, acs


def own_output_rate(account: Account, still: int | None) -> tuple[float, float]:
    """Each layer with neurons after it counts with the rate of these; a layer of spikes without is left out."""
    macs = acs = 0.0
    for layer in account.layers.values():
        if layer.feeds:
            acs += layer.dense * account.neurons[layer.feeds].rate
        elif not _left_out(layer):
            macs += layer.dense
    return macs, acs


def _left_out(layer: LayerCount) -> bool:
    return layer.spiking


CONVENTIONS = (
    Convention('usual formula (ReSpike: the paper\'s own is not known)', 4.6, 0.9, usual,
               'rate times dense operations, as if no kernel reached over the edge; neurons and norms are free'),
    Convention('Spikingformer', 4.6, 0.9, spikingformer,
               'arXiv 2304.11954, published script: rate times dense operations with biases, the first convolution '
               'once per time step although its input is the same; neurons and norms are free'),
    Convention('hybrid pose', 1.69, 0.38, own_output_rate,
               'arXiv 2303.14176: the rate of a layer\'s own output in place of its input; layers that no firing '
               'neuron follows, of spikes, are left out; neurons and norms are free'),
)
