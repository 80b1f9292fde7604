"""Inference without batch norms: each is folded into the convolution or linear layer before it.

model, example -> one forward that is watched, operation by operation -> pairs (layer, norm) -> folded copy
"""
import copy
from collections import defaultdict

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@torch.no_grad()
def fold_batchnorm(model: nn.Module, *example) -> nn.Module:
    """A copy of a model for inference, with every batch norm that can be folded into the layer before it folded.

    Which norm follows which convolution or linear layer is seen on one forward, not read from names or types, so time
    steps folded into the batch, blocks of other libraries and 1-d, 2-d and 3-d layers make no difference. A pair is
    folded where the norm's input is the layer's output, element for element, and nothing else reads that output; where
    the two always go together; and where only one layer has the weight. Any other norm stays as it is. A linear layer
    pairs where it is applied to rows, ``[M, C]``.

    Args:
        model: left as it is.
        example: what ``model(*example)`` takes, on the model's device; small is enough, its values do not matter.

    Returns:
        The copy in evaluation mode, with ``nn.Identity`` in place of the folded norms. Its other modules keep their
        names, so recorders of spikes work on it; its weights no longer fit the model's checkpoints.

    Source: Jacob et al. 2018 (arXiv 1712.05877), section 3.2.
    """
    model = copy.deepcopy(model).eval()
    watch = _Watch(model)
    with watch:
        output = model(*example)
    watch.read_by(output, None)
    pairs = watch.pairs()
    for conv, norm in pairs:
        _fold(conv, norm)
    folded = {id(norm) for _, norm in pairs}
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if id(child) in folded:
                setattr(parent, name, nn.Identity())
    print_log(f'{len(pairs)} batch norms folded into the layers before them, {len(watch.norms) - len(pairs)} left.',
              logger='current')
    return model


def _fold(conv: nn.Module, norm: nn.Module) -> None:
    """``norm(conv(x))`` becomes ``conv(x)``: scale ``g / sqrt(var + eps)`` on the weights, the rest in the bias."""
    mean, var = norm.running_mean.double(), norm.running_var.double()
    scale = (var + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight.double())
    bias = (0 if conv.bias is None else conv.bias.double()) - mean
    bias = bias * scale + (0 if norm.bias is None else norm.bias.double())
    weight = conv.weight.double() * scale.view(-1, *[1] * (conv.weight.ndim - 1))
    conv.weight, conv.bias = nn.Parameter(weight.to(conv.weight)), nn.Parameter(bias.to(conv.weight))


class _Watch(TorchDispatchMode):
    """See every operation of a forward, and note who reads the output of a convolution or linear layer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.owners, self.norms = defaultdict(list), {}  # by storage of the weight, by id of the running mean
        for module in model.modules():
            if isinstance(getattr(module, 'weight', None), nn.Parameter):
                self.owners[_storage(module.weight)].append(module)
            if isinstance(getattr(module, 'running_mean', None), Tensor):
                self.norms[id(module.running_mean)] = module
        self.outputs: dict[int, tuple[Tensor, nn.Module]] = {}  # by storage; kept alive, so that no address repeats
        self.readers, self.sources = defaultdict(set), defaultdict(set)  # layer -> norms, norm -> layers

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name, kwargs = func._schema.name, kwargs or {}
        output = func(*args, **kwargs)
        if name.endswith('batch_norm') and id(args[3]) in self.norms:
            norm = self.norms[id(args[3])]
            self.sources[norm].add(self._source(args[0]))
            self.read_by(args[1:], None)
            self.read_by(args[0], norm)
        elif not func.is_view:  # a view reads nothing, and shares the storage
            self.read_by((args, kwargs), None)
        for layer in self._layers(name, args):
            self.outputs[_storage(output)] = output, layer
        return output

    def _layers(self, name: str, args: tuple) -> list[nn.Module]:
        """The layers, by weight, that this operation may be the forward of."""
        if name == 'aten::convolution' and not args[6]:  # not transposed
            return self.owners[_storage(args[1])]
        if name not in ('aten::mm', 'aten::addmm'):
            return []
        bias, weight = (None, args[1]) if name == 'aten::mm' else (args[0], args[2])
        return [layer for layer in self.owners[_storage(weight)] if isinstance(layer, nn.Linear)
                and layer.bias is bias and (layer.weight.T.shape, layer.weight.T.stride()) ==
                (weight.shape, weight.stride())]

    def read_by(self, tensors, reader: nn.Module | None) -> None:
        for tensor in tree_leaves(tensors):
            if isinstance(tensor, Tensor) and _storage(tensor) in self.outputs:
                self.readers[self.outputs[_storage(tensor)][1]].add(reader)

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        return [(conv, norm) for norm, convs in self.sources.items() for conv in convs
                if conv is not None and convs == {conv} and self.readers[conv] == {norm}
                and self.owners[_storage(conv.weight)] == [conv]]

    def _source(self, x: Tensor) -> nn.Module | None:
        """The layer whose output this is: the same elements, in the same axes."""
        output, conv = self.outputs.get(_storage(x), (None, None))
        return None if output is None or _place(x) != _place(output) else conv


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _place(x: Tensor) -> tuple:
    """Which elements in which axes; the stride of an axis of length 1 says nothing."""
    strides = tuple(stride for size, stride in zip(x.shape, x.stride(), strict=True) if size > 1)
    return x.shape, strides, x.data_ptr()
