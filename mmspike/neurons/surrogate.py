"""Surrogate gradients: the forward pass is the Heaviside step, the backward pass uses a named smooth derivative.

Each entry of :data:`surrogates` is a function ``(u, alpha) -> dS/du`` of the distance to the threshold
``u = h - v_threshold``. The names are all that a neuron stores, so that every back end can carry its own version.

The formulas below overwrite ``u``: where nothing fuses operations, each new tensor costs as much as the arithmetic. The
last operation of some makes one, because autograd needs what it would overwrite.
"""
import functools
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

import torch
from torch import Tensor


def sigmoid(u: Tensor, alpha: float) -> Tensor:
    """Derivative of ``sigmoid(alpha u)``: ``alpha s (1 - s)``."""
    s = u.abs_().mul_(-alpha).sigmoid_()  # at most 1/2, where s - s s is as exact as s
    return torch.addcmul(s, s, s, value=-1).mul_(alpha)


def atan(u: Tensor, alpha: float) -> Tensor:
    """Derivative of ``atan(pi/2 alpha u) / pi + 1/2``: ``alpha/2 / (1 + (pi/2 alpha u)^2)``."""
    return u.mul_(math.pi / 2 * alpha).square_().add_(1).reciprocal_() * (alpha / 2)


def triangle(u: Tensor, alpha: float) -> Tensor:
    """Piecewise quadratic: a triangle of height ``alpha`` that reaches zero at ``|u| = 1 / alpha``."""
    return u.abs_().mul_(-(alpha**2)).add_(alpha).clamp_(min=0)


def rectangle(u: Tensor, alpha: float) -> Tensor:
    """A box of height ``alpha`` over ``|u| < 1 / (2 alpha)``."""
    return u.abs_().lt_(0.5 / alpha).mul_(alpha)


def erf(u: Tensor, alpha: float) -> Tensor:
    """Derivative of ``(1 + erf(alpha u)) / 2``: a Gaussian, ``alpha / sqrt(pi) exp(-(alpha u)^2)``."""
    return u.mul_(alpha).square_().neg_().exp_() * (alpha / math.sqrt(math.pi))


def soft_sign(u: Tensor, alpha: float) -> Tensor:
    """Derivative of ``(alpha u / (1 + alpha |u|) + 1) / 2``: ``alpha/2 / (1 + alpha |u|)^2``."""
    return u.abs_().mul_(alpha).add_(1).square_().reciprocal_() * (alpha / 2)


def super_spike(u: Tensor, alpha: float) -> Tensor:
    """Fast sigmoid of fixed width and height ``alpha``: ``alpha / (1 + |u|)^2``.

    Source: Zenke and Ganguli 2018, SuperSpike.
    Differs: alpha scales the height, as in SpikingJelly; in the paper its counterpart scales ``u``.
    """
    return u.abs_().add_(1).square_().reciprocal_() * alpha


def _keeping(formula: Callable[[Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    return functools.wraps(formula)(lambda u, alpha: formula(u.clone(), alpha))


overwriting: Mapping[str, Callable[[Tensor, float], Tensor]] = MappingProxyType(
    {f.__name__: f for f in (sigmoid, atan, triangle, rectangle, erf, soft_sign, super_spike)}
)
"""The formulas above by name."""

surrogates: Mapping[str, Callable[[Tensor, float], Tensor]] = MappingProxyType(
    {name: _keeping(formula) for name, formula in overwriting.items()}
)
"""The known surrogate derivatives by name; these leave ``u`` as it is."""


def get_surrogate(name: str) -> Callable[[Tensor, float], Tensor]:
    """The derivative of that name.

    Raises:
        ValueError: unknown name; the message lists the known ones.
    """
    try:
        return surrogates[name]
    except (KeyError, TypeError):
        near = get_close_matches(str(name).lower(), surrogates, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ''
        raise ValueError(f'surrogate={name!r} is not known.{hint} Known: {", ".join(surrogates)}.') from None


class _Fire(torch.autograd.Function):
    """Heaviside step forward, surrogate derivative backward (itself differentiable: double backward works)."""

    @staticmethod
    def forward(u: Tensor, surrogate: str, alpha: float) -> Tensor:
        return (u >= 0).to(u.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        u, ctx.surrogate, ctx.alpha = inputs
        ctx.save_for_backward(u)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (u,) = ctx.saved_tensors
        return grad * surrogates[ctx.surrogate](u, ctx.alpha), None, None


def fire(u: Tensor, surrogate: str, alpha: float) -> Tensor:
    """Spikes where ``u >= 0`` (equality fires), with the gradient of the named surrogate.

    Args:
        u: distance to the threshold, ``h - v_threshold``; any shape.
        surrogate: a name of :data:`surrogates`.
        alpha: sharpness of the surrogate.

    Shape: as ``u``.
    """
    return _Fire.apply(u, surrogate, alpha)
