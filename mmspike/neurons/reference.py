"""The reference back end: a plain loop over time steps. Slow, readable, any dtype, differentiable any number of times.

Every other back end is tested against this one.
"""
import torch
from torch import Tensor

from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.surrogate import fire


def simulate(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """Run all time steps.

    Args:
        x: input current, any floating dtype.
        v: membrane before the first step, in the dtype of the state (fp32, or float64 for float64 input).
        w: for ``kind='plif'``, broadcastable to ``v``: ``1 / tau = sigmoid(w)``.
        settings: the dynamics.

    Shape: ``x`` [T, ...], ``v`` [...] -> output [T, ...] in the dtype of ``x``, final ``v`` [...].
    """
    decay = None if w is None else torch.sigmoid(w)
    outputs = []
    for x_t in x.unbind(0):
        h = _charge(x_t.to(v.dtype), v, decay, settings)
        if settings.kind == 'leaky':
            v = output = h
        else:
            output = fire(h - settings.v_threshold, settings.surrogate, settings.alpha)
            v = _reset(h, output, settings)
        outputs.append(output.to(x.dtype))
    # Keep the memory order of x: where time was folded into the batch, its stride is the smaller one.
    inner = int(x.dim() > 1 and x.stride(0) < x.stride(1))
    return torch.stack(outputs, inner).transpose(0, inner), v


def _charge(x: Tensor, v: Tensor, decay: Tensor | None, s: NeuronSettings) -> Tensor:
    if s.kind == 'if':
        return v + x
    above_rest = v - s.rest
    # Divide by tau, do not multiply by 1 / tau: exact ties with the threshold are frequent, and rounding decides them.
    if s.decay_input:
        change = x - above_rest
        return v + (change / s.tau if decay is None else change * decay)
    return v - (above_rest / s.tau if decay is None else above_rest * decay) + x


def _reset(h: Tensor, spike: Tensor, s: NeuronSettings) -> Tensor:
    if s.detach_reset:
        spike = spike.detach()
    if s.v_reset is None:
        return h - spike * s.v_threshold
    return (1 - spike) * h + spike * s.v_reset
