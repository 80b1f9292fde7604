"""To which part of a model a product belongs: the owner of its weights, or the module that runs."""
import sys
from collections import defaultdict
from typing import NamedTuple

from torch import Tensor, nn

from mmspike.analysis.energy.products import Product

CALL = nn.Module._call_impl.__code__


class Parties(NamedTuple):
    """Who takes part in a product.

    Args:
        name: of the layer.
        activations: one operand, or both where there are no weights.
        weight: all weights of the layer, or None.
    """

    name: str
    activations: tuple[Tensor, ...]
    weight: Tensor | None


class Owners:
    """Finds the layer of each product.

    Weights are known by their memory, so that a layer is itself however it is called: as a module, as a function with
    its weights, or with a view of them. Where they are cast (autocast) or laid out anew on the way, the copy is known
    too; where that was done before anyone looked, the shape of the running module's own weights decides.

    Args:
        model: the owner of all.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._weights: dict[int, tuple[str, Tensor]] = {}
        self._copies: dict[str, Tensor] = {}  # the last of each layer's, kept: their memory is no other tensor's
        self._sites: dict[str, list[tuple]] = defaultdict(list)

    def refresh(self) -> None:
        """Look where the weights are: a move to another device, or an average of weights, puts them elsewhere."""
        self._weights.clear()
        for path, module in self._model.named_modules():
            for name, parameter in module.named_parameters(recurse=False):
                parts = [path] if path else [type(self._model).__name__]
                parts += [] if name == 'weight' else [name]
                owner = self._weights.setdefault(_memory(parameter), ('.'.join(parts), parameter))
                if owner[0] in self._copies:  # autocast hands it out again
                    self._weights[_memory(self._copies[owner[0]])] = owner

    def follow(self, source: Tensor, copy: Tensor) -> None:
        """What is cast or copied from weights, or from a part of them, is these weights, until they are copied anew."""
        owner = self._weights.get(_memory(source))
        if owner is not None and copy.numel() <= owner[1].numel():  # repeated for each sample it is an activation
            if (last := self._copies.get(owner[0])) is not None:
                self._weights.pop(_memory(last), None)
            self._copies[owner[0]], self._weights[_memory(copy)] = copy, owner

    def parties(self, product: Product, operator: str, module: nn.Module, path: str) -> Parties:
        """Name, activations and weights of a product that ran in a module of this path."""
        a, b = product.operands
        for activation, weight in ((a, b), (b, a)):
            owner = self._weights.get(_memory(weight))
            if owner is not None:
                return Parties(owner[0], (activation,), owner[1])
        if 'convolution' in operator or _is_own_weight(b, module):
            return Parties(path, (a,), b)
        label = product.name or operator
        sites, site = self._sites[f'{path} {label}'], _call_site()
        if site not in sites:
            sites.append(site)
        number = sites.index(site) + 1
        return Parties(f'{path} [{label}]' if number == 1 else f'{path} [{label} {number}]', (a, b), None)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _is_own_weight(tensor: Tensor, module: nn.Module) -> bool:
    weight = getattr(module, 'weight', None)
    return isinstance(weight, nn.Parameter) and weight.dtype != tensor.dtype and weight.T.shape == tensor.shape


def _call_site() -> tuple:
    """The places in the code between the running module's call and the operator."""
    frame, places = sys._getframe(1), []
    while frame is not None and frame.f_code is not CALL:
        places.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(places)
