"""Count what a model does while it does it: every operator of its forward, where it happens and with which values."""
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from mmspike.analysis.energy.account import Account, LayerCount, NeuronCount
from mmspike.analysis.energy.other_operators import ACTIVATIONS, folded_products, uncounted_products
from mmspike.analysis.energy.owners import Owners
from mmspike.analysis.energy.products import Product, products
from mmspike.analysis.energy.received import look
from mmspike.analysis.energy.tracker import ModuleTracker
from mmspike.analysis.spikes import spikes_per_step
from mmspike.neurons import SpikingNeuron, backend, backends

NEURON = 'mmspike::neuron'
COPIES = (torch.ops.aten._to_copy, torch.ops.aten.clone)


class OperationCounter:
    """Count the operations of a model's forward on real data, exactly; nothing is read from names or types.

    forward -> every aten operator -> products, who receives what -> account, per layer

    A product belongs to the module that owns the weights, whoever calls it; a product of two activations, as in an
    attention, to the module that runs. Convolutions, linear layers, functional calls, ``einsum`` and fused attention
    are all seen as what they are below torch's functions. What neurons do inside is no operation: they count by
    updates of their membranes and by their spikes. Use it as a context manager around forwards::

        with OperationCounter(model) as counter:
            for batch in loader:
                model(batch)
                account = counter.take(len(batch))  # what has happened since the last call of take

    Inside there are no gradients (a backward that computes again would count again), and torch's fused fast path of
    ``nn.MultiheadAttention``, compiled models and the neurons' reference loop are replaced by what can be seen.
    Results are the same. Counting takes the time of about two to four forwards.

    Args:
        model: its forward counts, with whatever of it that calls; what is done to the data before it does not. It is
            not changed. On the ``meta`` device, where tensors have no values, dense operations are counted.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._tracker = ModuleTracker(model, self._enter, self._leave)
        self._account, self._owners = Account(), Owners(model)
        self._setting, self._forward = ExitStack(), ExitStack()
        self._inside_neurons = 0
        self._started = False  # a neuron has run in this forward
        self._last: str | None = None  # the layer that ran last, with no neuron after it

    def __enter__(self) -> 'OperationCounter':
        with ExitStack() as stack:
            stack.enter_context(_without_fast_path())
            if backends.requested(None) == 'reference':
                stack.enter_context(backend('tiled'))
            if any(_is_compiled(module) for module in self.model.modules()):
                stack.enter_context(torch.compiler.set_stance('force_eager'))
            stack.enter_context(self._tracker)
            self._setting = stack.pop_all()
        return self

    def __exit__(self, *exc) -> None:
        self._forward.close()
        self._setting.close()
        self._inside_neurons = 0

    def take(self, samples: int) -> Account:
        """What was counted since the last call, in one batch of so many samples; counting begins anew."""
        account, self._account = self._account, Account()
        # One by one, each sample would need the weights
        layers = {name: replace(layer, calls=layer.calls * samples) for name, layer in account.layers.items()}
        return replace(account, samples=samples, layers=layers)

    def _enter(self, module: nn.Module, name: str, _: None) -> None:
        if not self._tracker.stack:  # a forward begins; what is changed for it ends with it
            self._started, self._last = False, None
            self._owners.refresh()
            self._forward.enter_context(torch.no_grad())
            self._forward.enter_context(_Watch(self._see))
        self._inside_neurons += isinstance(module, SpikingNeuron)

    def _leave(self, module: nn.Module, name: str, output: object) -> None:
        if not self._tracker.stack:
            self._forward.close()
        if isinstance(module, SpikingNeuron):
            output = output[0] if isinstance(output, tuple) else output
            if isinstance(output, Tensor) and self._inside_neurons == 1:
                self._count_neurons(name, output, module.fires)
            self._inside_neurons -= 1  # only now: what counting does is not the model's

    def _see(self, func: OpOverload, args: tuple, kwargs: dict, out: object) -> None:
        if not self._tracker.stack or self._inside_neurons:
            return
        if func._schema.name == NEURON:  # called as a function
            kind = args[3]
            return self._count_neurons(f'{self._tracker.path} [{kind}]', out[0], kind != 'leaky')
        if func.overloadpacket in COPIES:
            self._owners.follow(args[0], out)
        found = products(func, args, kwargs, out)
        if found is None:
            return self._count_other(func, args, out)
        for product in found:
            self._count_layer(func, product)

    def _count_layer(self, func: OpOverload, product: Product) -> None:
        operator = func.overloadpacket.__name__.strip('_')
        name, activations, weight = self._owners.parties(product, operator, self._tracker.stack[-1],
                                                         self._tracker.path)
        values = not any(y.is_meta for y in product.operands)
        weights = {} if weight is None else dict(
            weights=weight.numel(), weight_bytes=weight.numel() * weight.element_size(),
            weight_zeros=weight.numel() - int(torch.count_nonzero(weight)) if values else 0)
        self._account.add_layer(LayerCount(
            name, operator, product.dense, product.effective() if values else product.dense, product.bias,
            product.outputs, calls=1, received=tuple(map(look, activations)), first=not self._started, **weights))
        self._last = name

    def _count_neurons(self, name: str, output: Tensor, fires: bool) -> None:
        state = output[0].numel()
        size = 8 if output.dtype == torch.float64 else 4
        spikes = torch.zeros(len(output), dtype=torch.float64)
        if fires and not output.is_meta:
            spikes = spikes_per_step(output).cpu()
            self._count_activity(output)
        self._account.add_neurons(NeuronCount(name, fires, output.numel(), state, size * state, spikes,
                                              torch.full_like(spikes, state)))
        if self._last is not None and fires:
            self._account.layers[self._last] = replace(self._account.layers[self._last], feeds=name)
        self._started, self._last = True, None

    def _count_other(self, func: OpOverload, args: tuple, out: object) -> None:
        account, name = self._account, func.overloadpacket.__name__
        if func.overloadpacket in ACTIVATIONS and not out.is_meta:
            self._count_activity(out)
        folded = folded_products(func, out)
        uncounted, unknown = (0, False) if folded else uncounted_products(func, args, out)
        for total, number in ((account.folded, folded), (account.uncounted, uncounted)):
            if number:
                total[name] = total.get(name, 0) + number
        if unknown:
            account.unknown.add(name)

    def _count_activity(self, output: Tensor) -> None:
        self._account.activations += output.numel()
        self._account.active += int(torch.count_nonzero(output))


class _Watch(TorchDispatchMode):
    """Hands every operator that has run to a function."""

    def __init__(self, see: Callable[[OpOverload, tuple, dict, object], None]) -> None:
        super().__init__()
        self._see = see

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if not isinstance(func, OpOverload):
            return func(*args, **kwargs)
        if torch.is_inference_mode_enabled():  # there, operators made of others arrive whole
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = func(*args, **kwargs)
        self._see(func, args, kwargs, out)
        return out


@contextmanager
def _without_fast_path() -> Iterator[None]:
    """One operator for a whole Transformer layer, which torch takes for its own modules, would hide what is in it."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _is_compiled(module: nn.Module) -> bool:
    return module._compiled_call_impl is not None or type(module).__name__ == 'OptimizedModule'
