"""Batch norm over T and B together, of what may be the same at all time steps, and again in backward."""
from collections.abc import Callable
from functools import partial

import torch
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
        ``None`` for the function in evaluation mode, for a norm of another type (statistics over several processes),
        with hooks or with unusual settings, and under ``torch.compile``.
    """
    if not norm.training:
        return norm(x), None
    if not _is_plain(norm) or x.numel() == x.shape[1]:  # a single value per channel is an error, which torch words
        return norm(x if steps == 1 else x.repeat(steps, *[1] * (x.ndim - 1))), None
    var = norm.running_var if steps == 1 else norm.running_var.clone()
    y = _by_batch(norm, x, norm.running_mean, var)
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)
        if steps > 1:
            n, kept = x.numel() // x.shape[1], 1 - norm.momentum
            factor = (n - 1) / n * (n * steps) / (n * steps - 1)  # on what this batch has added to kept * running_var
            norm.running_var.mul_(kept * (1 - factor)).add_(var, alpha=factor)
    return y, partial(_by_batch, norm, x.detach())


def _is_plain(norm: _BatchNorm) -> bool:
    return (type(norm) in (nn.BatchNorm1d, nn.BatchNorm2d) and norm.affine and norm.track_running_stats
            and norm.momentum is not None and not norm._forward_hooks and not norm._forward_pre_hooks
            and not torch.compiler.is_compiling())


def _by_batch(norm: _BatchNorm, x: Tensor, mean: Tensor | None = None, var: Tensor | None = None) -> Tensor:
    """Normalised by its own statistics, which move the running ``mean`` and ``var``."""
    return torch.native_batch_norm(x, norm.weight, norm.bias, mean, var, True, norm.momentum, norm.eps)[0]
