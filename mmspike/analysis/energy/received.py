"""What a tensor holds, seen from an arithmetic unit: nothing, spikes, whole numbers or real values."""
from dataclasses import dataclass

import torch
from torch import Tensor

ORDER = ('zero', 'binary', 'ternary', 'integer', 'real')
SPIKES = ORDER[:3]
UNSEEN = 'unseen'


@dataclass(frozen=True)
class Received:
    """What an operand of a layer has held, over all calls.

    Args:
        elements: values seen.
        nonzeros: those that are not 0.
        kind: ``'zero'``: none; ``'binary'``: all non-zeros are one number above 0; ``'ternary'``: one number and its
            negative; ``'integer'``: whole numbers; ``'real'``; ``'unseen'``: the tensor had no values (``meta``).
        value: the magnitude of all non-zeros, where it is one.
    """

    elements: int = 0
    nonzeros: int = 0
    kind: str = 'zero'
    value: float | None = None

    @property
    def density(self) -> float:
        """Share of non-zeros."""
        return self.nonzeros / self.elements if self.elements else 0.0

    @property
    def spikes(self) -> bool:
        """Whether multiplying by it is choosing: its magnitude can be part of the weights, once and for all."""
        return self.kind in SPIKES

    def __add__(self, other: 'Received') -> 'Received':
        return Received(self.elements + other.elements, self.nonzeros + other.nonzeros, *_join(self, other))


def look(x: Tensor) -> Received:
    """See what a tensor holds; one of the ``meta`` device holds nothing that could be seen."""
    if x.is_meta:
        return Received(x.numel(), x.numel(), UNSEEN)
    nonzeros = int(torch.count_nonzero(x))
    if not nonzeros:
        return Received(x.numel())
    if x.dtype == torch.bool:
        return Received(x.numel(), nonzeros, 'binary', 1.0)
    if x.is_complex():
        return Received(x.numel(), nonzeros, 'real')
    low, high = (float(y) for y in torch.aminmax(x))
    value = max(-low, high)
    if int(torch.count_nonzero(x.abs() == value)) == nonzeros:
        return Received(x.numel(), nonzeros, 'ternary' if low < 0 else 'binary', value)
    whole = not x.is_floating_point() or bool((x == x.round()).all())
    return Received(x.numel(), nonzeros, 'integer' if whole else 'real')


def _join(a: Received, b: Received) -> tuple[str, float | None]:
    if 'zero' in (a.kind, b.kind):
        other = b if a.kind == 'zero' else a
        return other.kind, other.value
    if UNSEEN in (a.kind, b.kind):
        return UNSEEN, None
    if a.spikes and b.spikes:
        if a.value == b.value:
            return max(a.kind, b.kind, key=ORDER.index), a.value
        whole = float(a.value).is_integer() and float(b.value).is_integer()
        return 'integer' if whole else 'real', None
    kind = max(a.kind, b.kind, key=ORDER.index)
    spike = next((y for y in (a, b) if y.spikes), None)
    if kind == 'integer' and spike is not None and not float(spike.value).is_integer():
        kind = 'real'
    return kind, None
