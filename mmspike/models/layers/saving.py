"""Training in less memory: what backward needs is kept small, or computed again."""
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.batchnorm import _BatchNorm

from mmspike.models.layers.batch_norm import Again, batch_norm
from mmspike.models.layers.norm import StepBatchNorm2d
from mmspike.models.layers.time import per_step, usual_strides
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

    Shape:
        maps ``[T, B, C, H, W]``, tokens ``[T, B, N, C]`` -> the same.
    """
    return fire(neuron, *normalise(norm, x))


def norm_and_run(norm: nn.Module, neuron: nn.Module, x: Tensor, v: Tensor | None) -> tuple[Tensor, Tensor]:
    """``neuron.run(norm(x), v)``: spikes and the final membrane, in the memory of :func:`norm_and_fire`."""
    current, again = normalise(norm, x)
    with nullcontext() if again is None else saved_as(current, again):
        return neuron.run(current, v)


def normalise(norm: nn.Module, x: Tensor, steps: int = 1) -> tuple[Tensor, Again]:
    """``norm(x)``, and how to have it again; for :func:`fire`.

    Args:
        norm: a norm per time step (``StepBatchNorm2d``), or torch's batch norm, over T and B together.
        x: time first; or one step of a map that is the same at all time steps, for torch's batch norm.
        steps: T of such a still map. It is normalised once.

    Returns:
        The second is None where it would not be the same again: for a norm of another type, with hooks, in evaluation
        mode or with statistics over several processes.

    Shape:
        maps ``[T, B, C, H, W]``, tokens ``[T, B, N, C]`` -> the same; a still map ``[1, B, C, H, W]``
        -> ``[T, B, C, H, W]``.
    """
    if isinstance(norm, _BatchNorm):
        rows, axes = over_time(x)
        y, again = batch_norm(norm, rows, steps)
        y = y.unflatten(0, (-1, *axes[1:]))
    else:
        y, again = norm(x), None
    if steps > 1:  # channels last, as maps lie in memory: the sum over T in backward is ten times as fast
        y = y.movedim(2, -1).expand(steps, -1, -1, -1, -1).movedim(-1, 2)
    if isinstance(norm, StepBatchNorm2d) and norm.training and not norm.sync and not _has_hooks(norm):
        again = partial(norm.again, x.detach())
    return y, again


def fire(neuron: nn.Module, x: Tensor, again: Again = None) -> Tensor:
    """``neuron(x)``; a training keeps not ``x`` but how to have it again, if that is given.

    Backward normalises once more, which is free next to the memory.
    """
    with nullcontext() if again is None else saved_as(x, again):
        return neuron(x)


def over_time(x: Tensor) -> tuple[Tensor, torch.Size]:
    """The joined axes of maps ``[T*B, C, H, W]`` or tokens ``[T*B*N, C]``, and what they were."""
    axes = x.shape[:2 if x.ndim == 5 else 3]
    rows = x.flatten(0, len(axes) - 1)
    return usual_strides(rows) if rows.ndim == 4 else rows, axes


def conv_of_spikes(conv: nn.Module, neuron: nn.Module, spikes: Tensor) -> Tensor:
    """``conv(spikes)`` per step; a training keeps the spikes, which the convolution's gradient needs, as int8.

    Not done where what the neuron gives may be no small whole number: for one of another type, that never fires, or
    with hooks.

    Shape:
        spikes ``[T, B, C, H, W]``, from ``neuron`` -> ``[T, B, out_channels, H', W']``.
    """
    with _kept_small(neuron, spikes):
        return per_step(conv, spikes)


def linear_of_spikes(linear: nn.Module, neuron: nn.Module, spikes: Tensor) -> Tensor:
    """``linear(spikes)``, as :func:`conv_of_spikes`: ``[T, B, N, C]`` -> ``[T, B, N, out_features]``."""
    with _kept_small(neuron, spikes):
        return over_rows(linear, spikes)


def over_rows(linear: nn.Module, x: Tensor) -> Tensor:
    """``linear(x)`` as one product of matrices: ``[T, B, N, C]`` -> ``[T, B, N, out_features]``."""
    rows, axes = over_time(x)
    return linear(rows).unflatten(0, axes)


def _kept_small(neuron: nn.Module, spikes: Tensor) -> AbstractContextManager:
    """Inside, spikes are kept for backward as int8."""
    if not (_saves_for_backward() and gives_small_numbers(neuron)):
        return nullcontext()
    small, dtype = spikes.detach().to(torch.int8), spikes.dtype
    return saved_as(spikes, lambda: small.to(dtype))


def gives_small_numbers(neuron: nn.Module) -> bool:
    """Whether what the neuron gives is sure to fit into int8."""
    return isinstance(neuron, SpikingNeuron) and neuron.fires and not _has_hooks(neuron)


def _saves_for_backward() -> bool:
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
