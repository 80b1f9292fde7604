"""A few time steps of a neuron and their adjoint, once for all CPU back ends: run as they are, or compiled.

    forward   x, v -> charge -> h -> fire -> spike -> reset -> v, at every step
    backward  the same once more; then, from the last step to the first, grad_out and the gradient of v
              -> through reset and fire -> gradient of h -> through charge -> grad_x and the gradient of the v before

All tensors are rows of one length. Spikes enter the arithmetic as numbers: comparing into floats and multiplying is
vectorised, masks are not (``where`` costs ten additions). The results have the bits of
:mod:`mmspike.neurons.reference`, which says what is meant; a changed order of operations is a bug.
"""
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.surrogate import surrogates

Rows = Sequence[Tensor]


def forward_steps(s: NeuronSettings, x: Rows, v: Tensor, out: Rows, v_final: Tensor,
                  decay: Tensor | None = None) -> None:
    """Write ``out`` and ``v_final``.

    Args:
        s: the dynamics.
        x: input of each step.
        v: membrane before the first.
        decay: for ``kind='plif'``, 1 / tau of each neuron.
    """
    for x_t, out_t in zip(x, out, strict=True):
        h = _charge(s, x_t.to(v.dtype), v, decay)
        if s.kind == 'leaky':
            v = spike = h
        else:
            spike = _fire(s, h, out_t if out_t.dtype == h.dtype else torch.empty_like(h))
            v = _reset(s, h, spike)
        if spike is not out_t:
            out_t.copy_(spike)
    v_final.copy_(v)


def backward_steps(s: NeuronSettings, grad_out: Rows, grad_v: Tensor, x: Rows, v: Tensor, grad_x: Rows,
                   decay: Tensor | None = None, grad_decay: Tensor | None = None) -> None:
    """Write ``grad_x``, turn ``grad_v`` from the gradient of the last v into that of the first, add to ``grad_decay``.

    Args:
        s: the dynamics.
        grad_out: gradient of the output of each step.
        x, v, decay: as for :func:`forward_steps`.
    """
    passed = []
    for x_t in x:
        h = _charge(s, x_t.to(v.dtype), v, decay)
        spike = None if s.kind == 'leaky' else _fire(s, h, torch.empty_like(h))
        passed.append((v if s.kind == 'plif' else None, h, spike))
        v = h if s.kind == 'leaky' else _reset(s, h, spike)
    for x_t, grad_out_t, grad_x_t, (v, h, spike) in reversed(list(zip(x, grad_out, grad_x, passed, strict=True))):
        _fire_adjoint(s, grad_out_t.to(h.dtype), grad_v, h, spike)
        if s.kind == 'plif':
            change = _above_rest(s, v).neg() if not s.decay_input else x_t.to(v.dtype) - _above_rest(s, v)
            grad_decay.addcmul_(grad_v, change)
        _charge_adjoint(s, grad_v, grad_x_t, decay)


def _charge(s: NeuronSettings, x: Tensor, v: Tensor, decay: Tensor | None) -> Tensor:
    if s.kind == 'if':
        return v + x
    if s.decay_input:
        change = x - _above_rest(s, v)
        if decay is None and _is_power_of_two(s.tau):  # the product is exact, so fusing it rounds nothing else
            return torch.add(v, change, alpha=1 / s.tau, out=change)
        return _leak(s, change, decay, change).add_(v)
    leaked = _leak(s, _above_rest(s, v), decay, torch.empty_like(v))
    return torch.sub(v, leaked, out=leaked).add_(x)


def _above_rest(s: NeuronSettings, v: Tensor) -> Tensor:
    return v - s.rest if s.rest else v


def _leak(s: NeuronSettings, change: Tensor, decay: Tensor | None, into: Tensor) -> Tensor:
    if decay is not None:
        return torch.mul(change, decay, out=into)
    # Dividing costs more than multiplying, and only powers of two have an exact inverse.
    return torch.mul(change, 1 / s.tau, out=into) if _is_power_of_two(s.tau) else torch.div(change, s.tau, out=into)


def _is_power_of_two(number: float) -> bool:
    return math.frexp(number)[0] == 0.5


def _fire(s: NeuronSettings, h: Tensor, into: Tensor) -> Tensor:
    return torch.ge(h, s.v_threshold, out=into)


def _reset(s: NeuronSettings, h: Tensor, spike: Tensor) -> Tensor:
    if s.v_reset is None:
        return torch.sub(h, spike, alpha=s.v_threshold)
    kept = torch.addcmul(h, h, spike, value=-1)  # exact: h or 0
    return kept.add_(spike, alpha=s.v_reset) if s.v_reset else kept


def _fire_adjoint(s: NeuronSettings, grad_out: Tensor, grad: Tensor, h: Tensor, spike: Tensor | None) -> None:
    """Turn ``grad``, that of the membrane after the reset, into that of h."""
    if s.kind == 'leaky':
        grad.add_(grad_out)
        return
    grad_spike = grad_out
    if s.v_reset is None:  # v = h - spike v_threshold
        if not s.detach_reset:
            grad_spike = torch.sub(grad_out, grad, alpha=s.v_threshold)
    else:  # v = (1 - spike) h + spike v_reset
        if not s.detach_reset:
            grad_spike = torch.addcmul(grad_out, grad, h, value=-1)
            if s.v_reset:
                grad_spike.add_(grad, alpha=s.v_reset)
        grad.addcmul_(grad, spike, value=-1)
    grad.addcmul_(grad_spike, surrogates[s.surrogate](h - s.v_threshold, s.alpha))


def _charge_adjoint(s: NeuronSettings, grad: Tensor, grad_x: Tensor, decay: Tensor | None) -> None:
    """Write ``grad_x`` and turn ``grad``, that of h, into that of the membrane before."""
    if s.kind == 'if':
        grad_x.copy_(grad)
    elif s.decay_input:
        leaked = _leak(s, grad, decay, grad_x if grad_x.dtype == grad.dtype else torch.empty_like(grad))
        if leaked is not grad_x:
            grad_x.copy_(leaked)
        grad.sub_(leaked)
    else:
        grad_x.copy_(grad)
        grad.sub_(_leak(s, grad, decay, torch.empty_like(grad)))
