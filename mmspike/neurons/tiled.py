"""The tiled back end: plain torch operations on tiles that stay in the cache. Needs no compiler, runs on any device."""
from collections.abc import Callable

import torch
from torch import Tensor

from mmspike.neurons import tiles
from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.steps import backward_steps, forward_steps, scratch_for_backward

WIDTH = 32768
"""Neurons of a tile, per thread: in fp32, rows of 128 KB, long enough to hide what an operation costs to start."""

SPAN = 16
"""Time steps whose membranes backward keeps at once; longer sequences are recomputed span by span."""


def forward(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """See :mod:`mmspike.neurons.backends`."""
    return tiles.forward(_kernel(forward_steps, settings, 3, v), _spans(x), WIDTH, x, v, w)


def backward(grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None,
             settings: NeuronSettings) -> tuple[Tensor, Tensor, Tensor | None]:
    """See :mod:`mmspike.neurons.backends`."""
    rows = scratch_for_backward(settings, min(x.shape[0], SPAN))
    return tiles.backward(_kernel(forward_steps, settings, 3, v), _kernel(backward_steps, settings, rows, v),
                          _spans(x), WIDTH, grad_out, grad_v, x, v, w)


def _spans(x: Tensor) -> list[slice]:
    return [slice(t, min(t + SPAN, x.shape[0])) for t in range(0, x.shape[0], SPAN)]


def _kernel(steps: Callable[..., None], settings: NeuronSettings, scratch_rows: int, like: Tensor) -> tiles.Kernel:
    memory = None

    def kernel(*rows):
        nonlocal memory
        length = rows[1].shape[0]
        if memory is None:  # the first tile is the longest
            memory = torch.empty(scratch_rows, length, dtype=like.dtype, device=like.device)
        steps(settings, memory[:, :length].unbind(0), *rows)
    return kernel
