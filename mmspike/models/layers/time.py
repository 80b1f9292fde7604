"""Stateless modules over a time axis."""
from collections.abc import Callable

from torch import Tensor


def per_step(module: Callable[[Tensor], Tensor], x: Tensor, batch_major: bool | None = None) -> Tensor:
    """Apply a stateless module to every time step at once, by folding time into the batch.

    Args:
        module: maps ``[N, *in]`` to ``[N, *out]``.
        x: time first.
        batch_major: whether the fold is ``[B*T, ...]`` or ``[T*B, ...]``. By default it follows the memory of ``x``,
            and so does the memory of the result: a chain of folded modules, norms and neurons never copies between two
            axis orders, although every tensor reads ``[T, B, ...]``.

    Shape:
        x ``[T, B, *in]`` -> ``[T, B, *out]``.
    """
    steps, batch = x.shape[:2]
    if batch_major or (batch_major is None and x.stride(0) < x.stride(1)):
        y = module(x.transpose(0, 1).flatten(0, 1))  # [B*T, *out]
        return y.unflatten(0, (batch, steps)).transpose(0, 1)  # [T, B, *out]
    return module(x.flatten(0, 1)).unflatten(0, (steps, batch))


def usual_strides(maps: Tensor) -> Tensor:
    """``[N, C, H, W]`` as it is, but a single map with the stride that a batch of several would have.

    The stride of an axis of length 1 means nothing, but torch's batch norm on the CPU reads it: with C, as folding
    time in channels-last memory leaves it, outputs are right and gradients wrong (torch 2.15).
    """
    return maps.as_strided(maps.shape, (maps.numel(), *maps.stride()[1:])) if len(maps) == 1 else maps
