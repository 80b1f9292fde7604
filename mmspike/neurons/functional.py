"""Spiking neurons as functions: ``(x, v) -> (spikes, v)`` over all time steps, without hidden state.

    x [T, ...], v [...]  ->  charge (leak and integrate), fire (h >= v_threshold), reset  ->  spikes [T, ...], v [...]

All functions share the rules of :func:`lif`.
"""
import torch
from torch import Tensor

from mmspike.neurons import backends, operators, reference
from mmspike.neurons.constants import constant
from mmspike.neurons.settings import NeuronSettings


def lif(x: Tensor, v: Tensor | float | None = None, *, tau: float = 2.0, v_threshold: float = 1.0,
        v_reset: float | None = 0.0, decay_input: bool = True, detach_reset: bool = False,
        surrogate: str = 'atan', alpha: float = 2.0, backend: str | None = None) -> tuple[Tensor, Tensor]:
    """Leaky integrate and fire.

    With ``rest = v_reset`` (0 for a soft reset), one step is

    - ``decay_input``: ``h = v + (x - (v - rest)) / tau``; otherwise ``h = v - (v - rest) / tau + x``;
    - ``s = 1 if h >= v_threshold else 0`` (equality fires);
    - hard reset: ``v = v_reset`` where it fired, else ``h``; soft reset: ``v = h - s v_threshold``.

    Args:
        x: input current, time first; a floating dtype.
        v: membrane before the first step: a tensor that broadcasts to one step (gradients reach it), a number,
            or ``None`` for rest. Pass the returned ``v`` on to continue a stream.
        tau: membrane time constant, in time steps, at least 1.
        v_threshold: firing threshold.
        v_reset: membrane after a spike, or ``None``: subtract ``v_threshold`` (soft reset).
        decay_input: whether the input is divided by tau as well.
        detach_reset: whether the gradient stops at the spike that resets the membrane.
        surrogate: name of the surrogate derivative, see :data:`mmspike.neurons.surrogates`.
        alpha: its sharpness.
        backend: the code to run, see :func:`mmspike.neurons.backend` (default: what that says).

    Shape: ``x`` [T, ...] -> spikes [T, ...] in the dtype of ``x``, ``v`` [...] in float64 for float64, else in fp32.

    Raises:
        ValueError: no time step, a ``v`` that does not fit, or a setting out of range.
        TypeError: an input that is not floating.

    Source: SpikingJelly's LIFNode (Fang et al. 2023, Science Advances 9); Differs: nothing.
    """
    settings = NeuronSettings('lif', tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha)
    return simulate(x, v, None, settings, backend)


def if_(x: Tensor, v: Tensor | float | None = None, *, v_threshold: float = 1.0, v_reset: float | None = 0.0,
        detach_reset: bool = False, surrogate: str = 'atan', alpha: float = 2.0,
        backend: str | None = None) -> tuple[Tensor, Tensor]:
    """Integrate and fire, without a leak: ``h = v + x``. Arguments and shapes as :func:`lif`."""
    settings = NeuronSettings('if', v_threshold=v_threshold, v_reset=v_reset, detach_reset=detach_reset,
                              surrogate=surrogate, alpha=alpha)
    return simulate(x, v, None, settings, backend)


def plif(x: Tensor, w: Tensor, v: Tensor | float | None = None, *, v_threshold: float = 1.0,
         v_reset: float | None = 0.0, decay_input: bool = True, detach_reset: bool = False,
         surrogate: str = 'atan', alpha: float = 2.0, backend: str | None = None) -> tuple[Tensor, Tensor]:
    """Parametric LIF: :func:`lif` with a learnable ``tau = 1 / sigmoid(w)``.

    Args:
        w: one value (0-dimensional), or one per channel [C] for inputs [T, B, C, ...].

    Other arguments and shapes as :func:`lif`.

    Source: Fang et al. 2021, PLIF (ICCV); Differs: the values per channel are not in the paper.
    """
    settings = NeuronSettings('plif', v_threshold=v_threshold, v_reset=v_reset, decay_input=decay_input,
                              detach_reset=detach_reset, surrogate=surrogate, alpha=alpha)
    return simulate(x, v, w, settings, backend)


def leaky_integrator(x: Tensor, v: Tensor | float | None = None, *, tau: float = 2.0,
                     decay_input: bool = True, backend: str | None = None) -> tuple[Tensor, Tensor]:
    """A membrane that leaks to 0 and never fires: a read-out. Arguments as :func:`lif`.

    Shape: ``x`` [T, ...] -> membrane after every step [T, ...] in the dtype of ``x``, final ``v`` [...].
    """
    return simulate(x, v, None, NeuronSettings('leaky', tau=tau, decay_input=decay_input), backend)


def simulate(x: Tensor, v: Tensor | float | None, w: Tensor | None, settings: NeuronSettings,
             backend: str | None = None) -> tuple[Tensor, Tensor]:
    """Check and prepare the inputs and hand them to a back end."""
    if not torch.is_floating_point(x):
        raise TypeError(f'{settings.kind}: the input has dtype {x.dtype}, but a floating dtype is needed; '
                        'use x.float().')
    if x.dim() == 0 or len(x) == 0:
        raise ValueError(f'{settings.kind}: the input has shape {tuple(x.shape)}, but [T, ...] with at least one '
                         'time step is needed.')
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    v = _initial_membrane(x, v, dtype, settings)
    if w is not None:
        w = _over_channels(w.to(dtype), x)
    name = backends.requested(backend)
    if name == 'reference':
        return reference.simulate(x, v, w, settings)
    return operators.simulate(x, v, w, settings, name)


def _initial_membrane(x: Tensor, v: Tensor | float | None, dtype: torch.dtype, settings: NeuronSettings) -> Tensor:
    step = x.shape[1:]
    if not isinstance(v, Tensor):
        # one number, expanded: nothing to write, to read or to keep for backward
        return constant(settings.rest if v is None else float(v), dtype, x).expand(step)
    try:
        return v.to(dtype).expand(step)
    except RuntimeError:
        raise ValueError(f'{settings.kind}: v has shape {tuple(v.shape)}, but the input {tuple(x.shape)} needs one '
                         f'that broadcasts to a single time step, {tuple(step)}.') from None


def _over_channels(w: Tensor, x: Tensor) -> Tensor:
    """Bring ``w`` (0-dimensional or [C]) to a shape that broadcasts over one step [B, C, ...]."""
    if w.dim() == 0:
        return w
    if w.dim() != 1 or x.dim() < 3 or x.shape[2] != len(w):
        raise ValueError(f'plif: w has shape {tuple(w.shape)} and the input {tuple(x.shape)}; w must be 0-dimensional, '
                         'or [C] for an input [T, B, C, ...].')
    return w.view(-1, *[1] * (x.dim() - 3))
