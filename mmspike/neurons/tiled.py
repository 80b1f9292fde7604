"""The tiled back end: plain torch operations on tiles that stay in the cache. Needs no compiler, runs on any device."""
from functools import partial

from torch import Tensor

from mmspike.neurons import tiles
from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.steps import backward_steps, forward_steps

SPAN = 16
"""Time steps whose membranes backward keeps at once; longer sequences are recomputed span by span."""


def forward(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """See :mod:`mmspike.neurons.backends`."""
    return tiles.forward(partial(forward_steps, settings), _spans(x.shape[0]), x, v, w)


def backward(grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None,
             settings: NeuronSettings) -> tuple[Tensor, Tensor, Tensor | None]:
    """See :mod:`mmspike.neurons.backends`."""
    return tiles.backward(partial(forward_steps, settings), partial(backward_steps, settings), _spans(x.shape[0]),
                          grad_out, grad_v, x, v, w)


def _spans(steps: int) -> list[slice]:
    return [slice(t, min(t + SPAN, steps)) for t in range(0, steps, SPAN)]
