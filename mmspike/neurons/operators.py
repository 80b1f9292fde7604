"""The back ends as two operators of torch, ``mmspike::neuron`` and ``mmspike::neuron_backward``.

    simulate -> neuron (saves x, v, w) -> autograd -> neuron_backward -> autograd once more -> the reference

For torch.compile and torch.export each is one opaque node that breaks no graph; the back end is chosen when it runs.
Autocast passes them by: they take any floating dtype, and their state is fp32 at least.
"""
from dataclasses import fields

import torch
from torch import Tensor

from mmspike.neurons import backends, reference
from mmspike.neurons.constants import constant
from mmspike.neurons.settings import NeuronSettings

_FIELDS = [field.name for field in fields(NeuronSettings)]


def simulate(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings, backend: str) -> tuple[Tensor, Tensor]:
    """As :func:`mmspike.neurons.reference.simulate`, on the back end of that name or ``'auto'``."""
    return neuron(x, v, w, *[getattr(settings, name) for name in _FIELDS], backend)


@torch.library.custom_op('mmspike::neuron', mutates_args=())
def neuron(x: Tensor, v: Tensor, w: Tensor | None, kind: str, tau: float, v_threshold: float, v_reset: float | None,
           decay_input: bool, detach_reset: bool, surrogate: str, alpha: float, backend: str) -> tuple[Tensor, Tensor]:
    """Output and final membrane; after ``w`` come the fields of :class:`NeuronSettings`, in order."""
    settings = NeuronSettings(kind, tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha)
    return backends.forward(backend, x, v, w, settings)


@torch.library.custom_op('mmspike::neuron_backward', mutates_args=())
def neuron_backward(grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None, kind: str, tau: float,
                    v_threshold: float, v_reset: float | None, decay_input: bool, detach_reset: bool, surrogate: str,
                    alpha: float, backend: str) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of ``x``, ``v`` and ``w`` (of no element where there is no ``w``)."""
    settings = NeuronSettings(kind, tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha)
    grad_x, grad_v0, grad_w = backends.backward(backend, grad_out, grad_v, x, v, w, settings)
    return grad_x, grad_v0, v.new_empty(0) if grad_w is None else grad_w


@neuron.register_fake
def _(x, v, w, *settings):
    out = torch.empty_like(x)
    return out, torch.empty_like(out[0], dtype=v.dtype)


@neuron_backward.register_fake
def _(grad_out, grad_v, x, v, w, *settings):
    grad_x = torch.empty_like(x)
    return grad_x, torch.empty_like(grad_x[0], dtype=v.dtype), v.new_empty(0) if w is None else torch.empty_like(w)


def _save(ctx, inputs, output) -> None:
    x, v, w, *ctx.settings = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, v, w)


def _differentiate(ctx, grad_out: Tensor | None, grad_v: Tensor | None):
    x, v, w = ctx.saved_tensors
    # A result that was not used costs no memory: its gradient is one zero, expanded.
    grad_out = constant(0.0, x.dtype, x).expand(x.shape) if grad_out is None else grad_out
    grad_v = constant(0.0, v.dtype, v).expand(v.shape) if grad_v is None else grad_v
    grad_x, grad_v0, grad_w = neuron_backward(grad_out, grad_v, x, v, w, *ctx.settings)
    return grad_x, grad_v0, None if w is None else grad_w, *[None] * len(ctx.settings)


def _save_all(ctx, inputs, output) -> None:
    *tensors, kind, tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha, _ = inputs
    ctx.settings = NeuronSettings(kind, tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha)
    ctx.save_for_backward(*tensors)


def _differentiate_twice(ctx, *grads: Tensor):
    """Run the reference, and differentiate its gradient."""
    saved = ctx.saved_tensors
    with torch.enable_grad():
        grad_out, grad_v, x, v, w = (None if t is None else t.detach().requires_grad_() for t in saved)
        inputs = (x, v) if w is None else (x, v, w)
        first = torch.autograd.grad(reference.simulate(x, v, w, ctx.settings), inputs, (grad_out, grad_v),
                                    create_graph=True)
    used = [(f, g) for f, g in zip(first, grads, strict=False) if f.requires_grad]
    wanted = [grad_out, grad_v, *inputs]
    second = torch.autograd.grad([f for f, _ in used], wanted, [g for _, g in used], allow_unused=True)
    return *second, *[None] * (14 - len(second))


neuron.register_autograd(_differentiate, setup_context=_save)
neuron_backward.register_autograd(_differentiate_twice, setup_context=_save_all)
