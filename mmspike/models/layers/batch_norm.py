"""Batch norm over T and B together, of what may be the same at all time steps, and again in backward."""
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Again = Callable[[], Tensor] | None


def batch_norm(norm: _BatchNorm, x: Tensor, steps: int = 1) -> tuple[Tensor, Again]:
    """``norm(x)``, and a function that gives it again, bit by bit, from ``x``; the running statistics move once.

    Args:
        norm: torch's, of 1-d for rows or 2-d for maps.
        x: what it normalises; above ``steps=1`` the same at all of them, and given once.
        steps: T of such a still ``x``. Mean and variance of T copies are those of one; only the factor ``n / (n - 1)``
            of the running variance counts them all.

    Shape:
        ``[M, C]`` or ``[M, C, H, W]`` -> the same; a still one -> ``[T*M, ...]`` where the norm has to see the copies.

    Returns:
        ``None`` for the function in evaluation mode, and for a norm of another type (statistics over several
        processes), with hooks or without running statistics.
    """
    if not norm.training:
        return norm(x), None
    if type(norm) not in (nn.BatchNorm1d, nn.BatchNorm2d) or norm._forward_hooks or norm._forward_pre_hooks:
        return norm(x if steps == 1 else x.repeat(steps, *[1] * (x.ndim - 1))), None
    y = norm(x) if steps == 1 else _normalise_still(norm, x, steps)
    return y, partial(_by_batch, norm, x.detach())


def _by_batch(norm: _BatchNorm, x: Tensor) -> Tensor:
    return F.batch_norm(x, None, None, norm.weight, norm.bias, True, 0.0, norm.eps)


def _normalise_still(norm: _BatchNorm, x: Tensor, steps: int) -> Tensor:
    mean, var = torch.zeros_like(norm.running_mean), torch.ones_like(norm.running_var)
    # momentum 1 makes the kernel leave this batch's own statistics in the two buffers
    y = F.batch_norm(x, mean, var, norm.weight, norm.bias, True, 1.0, norm.eps)
    n = x.numel() // x.shape[1]
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(var * ((n - 1) / n * (n * steps) / (n * steps - 1)), norm.momentum)
    return y
