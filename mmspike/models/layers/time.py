"""Stateless modules over a time axis."""
from collections.abc import Callable

from torch import Tensor


def per_step(module: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a stateless module to every time step at once, by folding time into the batch.

    The fold is batch-major, ``[B*T, ...]``, and so is the memory of the result: a chain of folded modules, per-step
    batch norms and neurons never copies between two axis orders, although every tensor reads ``[T, B, ...]``.

    Shape:
        x ``[T, B, *in]`` -> ``[T, B, *out]``, where ``module`` maps ``[N, *in]`` to ``[N, *out]``.
    """
    steps, batch = x.shape[:2]
    y = module(x.transpose(0, 1).flatten(0, 1))  # [B*T, *out]
    return y.unflatten(0, (batch, steps)).transpose(0, 1)  # [T, B, *out]
