"""Numbers as tensors, made once: on a GPU every tensor that is filled anew costs a kernel."""
from functools import cache

import torch
from torch import Tensor


def constant(value: float, dtype: torch.dtype, like: Tensor) -> Tensor:
    """A 0-dimensional tensor on the device of ``like``, the same one at every call: not to be written into."""
    if torch.compiler.is_compiling() or type(like) not in (Tensor, torch.nn.Parameter):  # tracing, tensors without data
        return torch.full((), value, dtype=dtype, device=like.device)
    return _made(value, dtype, like.device)


@cache
def _made(value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():  # usable in both
        return torch.full((), value, dtype=dtype, device=device)
