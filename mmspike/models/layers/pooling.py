"""Max pooling that keeps little for backward."""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

WINDOW = dict(kernel_size=3, stride=2, padding=1)


def max_pool(x: Tensor) -> Tensor:
    """3x3 max pooling of stride 2; a training keeps where the maxima were, in 2 bytes where they suffice.

    The gradient of a window goes to its first maximum, as it does in torch; most windows of spikes have several.

    Shape:
        ``[N, C, H, W]`` -> ``[N, C, ceil(H/2), ceil(W/2)]``.
    """
    if not (torch.is_grad_enabled() and x.requires_grad) or torch.compiler.is_compiling():
        return F.max_pool2d(x, **WINDOW)
    return _MaxPool.apply(x)


class _MaxPool(Function):

    @staticmethod
    def forward(ctx, x):
        y, where = F.max_pool2d(x, **WINDOW, return_indices=True)
        ctx.like = x.shape, x.stride()
        ctx.small = torch.int16 if x.shape[-2] * x.shape[-1] <= 2**16 else torch.int32
        ctx.save_for_backward(where.to(ctx.small))  # the upper half wraps to negative numbers
        return y

    @staticmethod
    def backward(ctx, grad):
        where = ctx.saved_tensors[0].to(torch.int64)
        if ctx.small == torch.int16:
            where &= 2**16 - 1
        x = torch.empty_strided(*ctx.like, dtype=grad.dtype, device=grad.device)  # only its shape is looked at
        return torch.ops.aten.max_pool2d_with_indices_backward(grad, x, [3, 3], [2, 2], [1, 1], [1, 1], False, where)
