"""New tensors for the results of the CPU back ends.

The C library takes every large block from the system anew, as pages of 4 KB that are cleared when first touched: that
costs more than the neuron. Linux also has pages of 2 MB, 512 times fewer, for the asking.
"""
import ctypes
import functools
import sys
from collections.abc import Callable

import torch
from torch import Tensor

WORTH_ASKING = 2**22
"""Bytes from which the C library always asks the system (smaller blocks it may have kept)."""
_PAGE = 4096
_HUGE_PAGES = 14  # MADV_HUGEPAGE of Linux


def empty_like(tensor: Tensor) -> Tensor:
    """``torch.empty_like``, on huge pages where that pays and the system has them."""
    new = torch.empty_like(tensor)
    size = new.numel() * new.element_size()
    if new.device.type == 'cpu' and size >= WORTH_ASKING and (advise := _advise()) is not None:
        start = -(-new.data_ptr() // _PAGE) * _PAGE
        advise(start, (new.data_ptr() + size) // _PAGE * _PAGE - start, _HUGE_PAGES)  # only advice: never mind if not
    return new


@functools.cache
def _advise() -> Callable[[int, int, int], int] | None:
    if not sys.platform.startswith('linux'):
        return None
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return madvise
