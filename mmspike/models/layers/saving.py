"""Training in less memory: what backward needs is kept small, or computed again."""
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from mmspike.models.layers.norm import StepBatchNorm2d
from mmspike.models.layers.time import per_step
from mmspike.neurons import SpikingNeuron


def saved_as(y: Tensor, again: Callable[[], Tensor]) -> AbstractContextManager:
    """Inside, what saves ``y`` for backward saves ``again`` in its place, and backward calls it to have ``y`` back.

    Args:
        y: a tensor; a view of it is saved as a view of what ``again`` gives.
        again: gives ``y``, bit by bit and in the same memory order, without side effects. It is called without
            gradient, and keeps what it refers to alive.

    Other tensors are saved as ever. Without gradients, and under ``torch.compile``, which chooses itself what to keep,
    it does nothing. Inside an activation checkpoint, which would keep less, it keeps what it keeps.
    """
    return _SavedAs(y, again) if _saves_for_backward() else nullcontext()


class _SavedAs(saved_tensors_hooks):
    def __init__(self, y: Tensor, again: Callable[[], Tensor]) -> None:
        storage = y.untyped_storage()._cdata  # not y itself: backward keeps the two functions

        def pack(saved: Tensor) -> Tensor | tuple:
            if saved.untyped_storage()._cdata != storage:
                return saved
            return saved.shape, saved.stride(), saved.storage_offset()

        def unpack(saved: Tensor | tuple) -> Tensor:
            if isinstance(saved, Tensor):
                return saved
            with torch.no_grad():
                return again().as_strided(*saved)

        super().__init__(pack, unpack)


def norm_and_fire(norm: nn.Module, neuron: nn.Module, x: Tensor) -> Tensor:
    """``neuron(norm(x))``; a training keeps ``x``, as the norm does in any case, and not the normalised current.

    Backward normalises once more, which is free next to the memory. Not done, because it would not be the same again,
    for a norm of another type, with hooks, in evaluation mode or with statistics over several processes.

    Shape:
        ``[T, B, C, H, W]`` -> the same.
    """
    y = norm(x)
    if not (_saves_for_backward() and isinstance(norm, StepBatchNorm2d) and norm.training and not norm.sync
            and not _has_hooks(norm)):
        return neuron(y)
    x = x.detach()
    with saved_as(y, lambda: norm.again(x)):
        return neuron(y)


def conv_of_spikes(conv: nn.Module, neuron: nn.Module, spikes: Tensor) -> Tensor:
    """``conv(spikes)`` per step; a training keeps the spikes, which the convolution's gradient needs, as int8.

    Not done where what the neuron gives may be no small whole number: for one of another type, that never fires, or
    with hooks.

    Shape:
        spikes ``[T, B, C, H, W]``, from ``neuron`` -> ``[T, B, out_channels, H', W']``.
    """
    if not (_saves_for_backward() and isinstance(neuron, SpikingNeuron) and neuron.fires and not _has_hooks(neuron)):
        return per_step(conv, spikes)
    small, dtype = spikes.detach().to(torch.int8), spikes.dtype
    with saved_as(spikes, lambda: small.to(dtype)):
        return per_step(conv, spikes)


def _saves_for_backward() -> bool:
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
