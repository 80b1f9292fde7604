"""What is the same at all time steps, computed once."""
import torch
from torch import Tensor, nn


def norm_still(norm: nn.modules.batchnorm._BatchNorm, x: Tensor, steps: int) -> Tensor:
    """``norm`` of a map that is the same at all time steps, as a norm over T and B together computes it.

    Mean and variance over T copies are those of one; only the factor ``n / (n - 1)`` of the running variance counts
    all of them.

    Args:
        norm: a batch norm over batch and space.
        x: the map of one time step.
        steps: T.

    Shape:
        ``[B, C, H, W]`` -> ``[T, B, C, H, W]``, expanded, not copied.
    """
    if not norm.training or isinstance(norm, nn.SyncBatchNorm):  # the latter counts what other processes have
        return norm(x).expand(steps, *x.shape)
    n = x.numel() // x.shape[1]
    before = norm.running_var.clone()
    y = norm(x)
    with torch.no_grad():
        factor = (n - 1) / n * (steps * n) / (steps * n - 1)
        kept = before.mul_(1 - norm.momentum)
        norm.running_var.sub_(kept).mul_(factor).add_(kept)
    return y.expand(steps, *y.shape)
