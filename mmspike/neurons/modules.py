"""Spiking neurons as modules: settings and parameters, never state. Called twice, one gives the same answer twice."""
import math
from dataclasses import fields

import torch
from torch import Tensor, nn

from mmspike.neurons.backends import check_name
from mmspike.neurons.functional import simulate
from mmspike.neurons.settings import NeuronSettings


class SpikingNeuron(nn.Module):
    """Base of all spiking neurons: ``neuron(x)`` starts from rest, ``neuron.run(x, v)`` threads the membrane through.

    A subclass defines :meth:`dynamics`. Both ways of calling go through ``forward``, so that forward hooks see both.
    """

    fires: bool = True
    """Whether the output is spikes; False where it is the membrane."""

    def dynamics(self, x: Tensor, v: Tensor | float | None) -> tuple[Tensor, Tensor]:
        """Run all time steps: ``x`` [T, ...], ``v`` [...] or None -> output [T, ...], final ``v`` [...]."""
        raise NotImplementedError(f'{type(self).__name__} must define dynamics(x, v) -> (output, v).')

    def forward(self, x: Tensor, v: Tensor | float | None = None, *, return_v: bool = False):
        """Spikes from rest.

        Args:
            x: input current, time first.
            v: membrane before the first step (default: rest).
            return_v: return ``(spikes, v)``, as :meth:`run` does.

        Shape: [T, ...] -> [T, ...].
        """
        output, v = self.dynamics(x, v)
        return (output, v) if return_v else output

    def run(self, x: Tensor, v: Tensor | float | None = None) -> tuple[Tensor, Tensor]:
        """Spikes and the final membrane, from ``v`` (default: rest): ``x`` [T, ...] -> ([T, ...], [...])."""
        return self(x, v, return_v=True)


class _BuiltInNeuron(SpikingNeuron):
    """A neuron whose dynamics are given by :class:`NeuronSettings`, on a back end of ours."""

    def __init__(self, settings: NeuronSettings, backend: str | None) -> None:
        super().__init__()
        self.settings = settings
        self.backend = None if backend is None else check_name(backend)
        self.register_parameter('w', None)

    def dynamics(self, x: Tensor, v: Tensor | float | None) -> tuple[Tensor, Tensor]:
        return simulate(x, v, self.w, self.settings, self.backend)

    def extra_repr(self) -> str:
        unused = {'lif': (), 'if': ('tau', 'decay_input'), 'plif': ('tau',),
                  'leaky': ('v_threshold', 'v_reset', 'detach_reset', 'surrogate', 'alpha')}[self.settings.kind]
        shown = [f'{f.name}={getattr(self.settings, f.name)!r}' for f in fields(self.settings)
                 if f.name != 'kind' and f.name not in unused]
        return ', '.join(shown if self.backend is None else [*shown, f'backend={self.backend!r}'])


class LIF(_BuiltInNeuron):
    """Leaky integrate and fire. Arguments: :func:`mmspike.neurons.lif`. Shape: [T, ...] -> spikes [T, ...]."""

    def __init__(self, tau: float = 2.0, v_threshold: float = 1.0, v_reset: float | None = 0.0,
                 decay_input: bool = True, detach_reset: bool = False, surrogate: str = 'atan',
                 alpha: float = 2.0, backend: str | None = None) -> None:
        super().__init__(NeuronSettings('lif', tau, v_threshold, v_reset, decay_input, detach_reset, surrogate, alpha),
                         backend)


class IF(_BuiltInNeuron):
    """Integrate and fire, no leak. Arguments: :func:`mmspike.neurons.if_`. Shape: [T, ...] -> spikes [T, ...]."""

    def __init__(self, v_threshold: float = 1.0, v_reset: float | None = 0.0, detach_reset: bool = False,
                 surrogate: str = 'atan', alpha: float = 2.0, backend: str | None = None) -> None:
        super().__init__(NeuronSettings('if', v_threshold=v_threshold, v_reset=v_reset, detach_reset=detach_reset,
                                        surrogate=surrogate, alpha=alpha), backend)


class ParametricLIF(_BuiltInNeuron):
    """LIF with a learnable time constant, ``tau = 1 / sigmoid(w)``.

    Args:
        init_tau: time constant before training, in time steps, above 1.
        channels: ``None``: one tau for the layer; C: one for each channel of [T, B, C, ...].

    Other arguments: :func:`mmspike.neurons.plif`.

    Shape: [T, ...] -> spikes [T, ...].

    Raises:
        ValueError: an ``init_tau`` that no w can give.

    Source: Fang et al. 2021, PLIF (ICCV).
    """

    def __init__(self, init_tau: float = 2.0, channels: int | None = None, v_threshold: float = 1.0,
                 v_reset: float | None = 0.0, decay_input: bool = True, detach_reset: bool = False,
                 surrogate: str = 'atan', alpha: float = 2.0, backend: str | None = None) -> None:
        super().__init__(NeuronSettings('plif', v_threshold=v_threshold, v_reset=v_reset, decay_input=decay_input,
                                        detach_reset=detach_reset, surrogate=surrogate, alpha=alpha), backend)
        if not init_tau > 1:
            raise ValueError(f'ParametricLIF: init_tau={init_tau} must be above 1, since tau = 1 / sigmoid(w).')
        self.w = nn.Parameter(torch.full(() if channels is None else (channels,), -math.log(init_tau - 1)))

    @property
    def tau(self) -> Tensor:
        """The present time constant, in time steps: a 0-dimensional tensor, or [C]."""
        return 1 / torch.sigmoid(self.w)

    def extra_repr(self) -> str:
        return f'channels={len(self.w) if self.w.dim() else None}, {super().extra_repr()}'


class LeakyIntegrator(_BuiltInNeuron):
    """A membrane that never fires; gives v after every step. Arguments: :func:`mmspike.neurons.leaky_integrator`.

    Shape: [T, ...] -> v [T, ...].
    """

    fires = False

    def __init__(self, tau: float = 2.0, decay_input: bool = True, backend: str | None = None) -> None:
        super().__init__(NeuronSettings('leaky', tau=tau, decay_input=decay_input), backend)
