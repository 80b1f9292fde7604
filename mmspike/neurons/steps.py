"""A few time steps of a neuron and their adjoint, once for all CPU back ends: run as they are, or compiled.

    forward   x, v -> charge -> h -> fire -> spike -> reset -> v, at every step
    backward  the same once more; then, from the last step to the first, with what the step adds to the gradient of its
              h and the share it keeps of the gradient of the v after it,

              grad_h = added + kept grad_v,   grad_v of the step before = (1 - 1/tau) grad_h

All tensors are rows of one length, and results go into rows that exist already: to a code generator it is all the
same, and otherwise a new row costs as much as the arithmetic on it. Spikes enter the arithmetic as numbers: comparing
into floats and multiplying is vectorised, masks are not (``where`` costs ten additions). Spikes and membranes have the
bits of :mod:`mmspike.neurons.reference`, which says what is meant; there, a changed order of operations is a bug.
"""
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.surrogate import overwriting

Rows = Sequence[Tensor]


def forward_steps(s: NeuronSettings, scratch: Rows, x: Rows, v: Tensor, out: Rows, v_final: Tensor,
                  decay: Tensor | None = None) -> None:
    """Write ``out`` and ``v_final``.

    Args:
        s: the dynamics.
        scratch: three rows to work in.
        x: input of each step.
        v: membrane before the first.
        decay: for ``kind='plif'``, 1 / tau of each neuron.
    """
    for t, (x_t, out_t) in enumerate(zip(x, out, strict=True)):
        h = _charge(s, x_t.to(v.dtype), v, decay, scratch[t % 2])
        if s.kind == 'leaky':
            v = spike = h
        else:
            spike = torch.ge(h, s.v_threshold, out=out_t if out_t.dtype == h.dtype else scratch[2])
            v = _reset(s, h, spike, h)
        if spike is not out_t:
            out_t.copy_(spike)
    v_final.copy_(v)


def scratch_for_backward(s: NeuronSettings, steps: int) -> int:
    """How many rows of ``scratch`` :func:`backward_steps` needs."""
    return 3 * steps if s.kind == 'plif' else 2 * steps + 2


def backward_steps(s: NeuronSettings, scratch: Rows, grad_out: Rows, grad_v: Tensor, x: Rows, v: Tensor, grad_x: Rows,
                   decay: Tensor | None = None, grad_decay: Tensor | None = None) -> None:
    """Write ``grad_x``, turn ``grad_v`` from the gradient of the last v into that of the first, add to ``grad_decay``.

    Args:
        s: the dynamics.
        scratch: :func:`scratch_for_backward` rows to work in.
        grad_out: gradient of the output of each step.
        x, v, decay: as for :func:`forward_steps`.
    """
    steps = len(x)
    h, mask, after_reset = scratch[:steps], scratch[steps:2 * steps], scratch[2 * steps:]
    before = []
    for t in range(steps):
        before.append(v)
        _charge(s, x[t].to(v.dtype), v, decay, h[t])
        v = h[t] if s.kind == 'leaky' else _reset_again(s, h[t], mask[t], after_reset[t % len(after_reset)])
    grads = [grad_x[t] if grad_x[t].dtype == v.dtype else h[t] for t in range(steps)]  # of h, at first
    grad, factor = grad_v, 1.0
    for t in reversed(range(steps)):
        _fire_adjoint(s, grad_out[t].to(v.dtype), grad, factor, h[t], mask[t], grads[t])
        if s.kind == 'plif':
            above_rest = _above_rest(s, before[t])
            grad_decay.addcmul_(grads[t], x[t].to(v.dtype) - above_rest if s.decay_input else -above_rest)
        grad, factor = _leak_adjoint(s, grads[t], decay)
    torch.mul(grad, factor, out=grad_v)
    for t in range(steps):
        if s.decay_input and s.kind != 'if':
            _leak(s, grads[t], decay, grads[t])
        if grads[t] is not grad_x[t]:
            grad_x[t].copy_(grads[t])


def _charge(s: NeuronSettings, x: Tensor, v: Tensor, decay: Tensor | None, into: Tensor) -> Tensor:
    if s.kind == 'if':
        return torch.add(v, x, out=into)
    if s.decay_input:
        torch.sub(x, _above_rest(s, v), out=into)
        if decay is None and _is_power_of_two(s.tau):  # the product is exact, so fusing it rounds nothing else
            return torch.add(v, into, alpha=1 / s.tau, out=into)
        return _leak(s, into, decay, into).add_(v)
    return torch.sub(v, _leak(s, _above_rest(s, v), decay, into), out=into).add_(x)


def _above_rest(s: NeuronSettings, v: Tensor) -> Tensor:
    return v - s.rest if s.rest else v


def _leak(s: NeuronSettings, change: Tensor, decay: Tensor | None, into: Tensor) -> Tensor:
    if decay is not None:
        return torch.mul(change, decay, out=into)
    # Dividing costs more than multiplying, and only powers of two have an exact inverse.
    return torch.mul(change, 1 / s.tau, out=into) if _is_power_of_two(s.tau) else torch.div(change, s.tau, out=into)


def _is_power_of_two(number: float) -> bool:
    return math.frexp(number)[0] == 0.5


def _reset(s: NeuronSettings, h: Tensor, spike: Tensor, into: Tensor) -> Tensor:
    if s.v_reset is None:
        return torch.sub(h, spike, alpha=s.v_threshold, out=into)
    torch.addcmul(h, h, spike, value=-1, out=into)  # exact: h or 0
    return into.add_(spike, alpha=s.v_reset) if s.v_reset else into


def _reset_again(s: NeuronSettings, h: Tensor, mask: Tensor, into: Tensor) -> Tensor:
    """As :func:`_reset`; ``mask`` becomes 1 where the neuron fired (soft reset), or where it did not (hard reset)."""
    if s.v_reset is None:
        return _reset(s, h, torch.ge(h, s.v_threshold, out=mask), into)
    torch.mul(h, torch.lt(h, s.v_threshold, out=mask), out=into)
    return into.add_(1 - mask, alpha=s.v_reset) if s.v_reset else into


def _fire_adjoint(s: NeuronSettings, grad_out: Tensor, grad: Tensor, factor: float, h: Tensor, mask: Tensor,
                  into: Tensor) -> None:
    """Gradient of h, from those of the output and (``factor grad``) of the membrane after; h and mask are used up."""
    if s.kind == 'leaky':
        torch.add(grad_out, grad, alpha=factor, out=into)
        return
    slope_of = overwriting[s.surrogate]
    kept = mask
    if s.v_reset is not None and not s.detach_reset:  # v = (1 - spike) h + spike v_reset
        slope = slope_of(h - s.v_threshold, s.alpha)
        kept.addcmul_(slope, h, value=-1)
        if s.v_reset:
            kept.add_(slope, alpha=s.v_reset)
    else:
        slope = slope_of(h.sub_(s.v_threshold), s.alpha)
        if s.v_reset is None:  # v = h - spike v_threshold
            kept = None if s.detach_reset else torch.mul(slope, -s.v_threshold, out=mask).add_(1)
    added = slope.mul_(grad_out)
    if kept is None:  # all of it
        torch.add(added, grad, alpha=factor, out=into)
    else:
        torch.addcmul(added, kept, grad, value=factor, out=into)


def _leak_adjoint(s: NeuronSettings, grad_h: Tensor, decay: Tensor | None) -> tuple[Tensor, float]:
    """The gradient of the membrane before: a row and a number that multiplies it."""
    if s.kind == 'if':
        return grad_h, 1.0
    if decay is None:
        return grad_h, 1 - 1 / s.tau
    return torch.addcmul(grad_h, grad_h, decay, value=-1), 1.0
