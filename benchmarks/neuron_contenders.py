"""One LIF neuron from seven hands: tau 2, threshold 1, hard reset to 0, detached; sigmoid surrogate, alpha 4.

Each contender maps the input of all time steps [T, N] to their spikes [T, N], always from rest.
"""
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

Neuron = Callable[[Tensor], Tensor]
SURROGATE_ALPHA = 4.0


def contenders(device: str, dtype: torch.dtype) -> dict[str, Neuron]:
    """By name, ours first; those that cannot run here are left out."""
    from mmspike.neurons import compiled
    ours = ['triton', 'tiled'] if device == 'cuda' else ['compiled'] * compiled.available() + ['tiled']
    found = {f'mmspike {name}': _mmspike(name) for name in ours}
    found['spikingjelly'] = _spikingjelly()
    if device == 'cuda' and dtype != torch.float32:
        found['spikingjelly fused'] = _spikingjelly_fused(dtype)
    found['plain loop'] = plain_loop
    if find_spec('snntorch'):
        found['snntorch'] = _snntorch(device)
    found['torch.compile(spikingjelly)'] = _spikingjelly(torch.compile)
    found['torch.compile(plain loop)'] = torch.compile(plain_loop, dynamic=False)
    return found


def _mmspike(backend: str) -> Neuron:
    from mmspike.neurons import lif
    return lambda x: lif(x, detach_reset=True, surrogate='sigmoid', alpha=SURROGATE_ALPHA, backend=backend)[0]


def _spikingjelly(wrap: Callable = lambda node: node) -> Neuron:
    """As its documentation begins: a multi-step node, reset before every sequence."""
    from spikingjelly.activation_based import neuron, surrogate
    node = neuron.LIFNode(detach_reset=True, surrogate_function=surrogate.Sigmoid(SURROGATE_ALPHA), step_mode='m')
    run = wrap(node)

    def spikes(x: Tensor) -> Tensor:
        node.reset()
        return run(x)
    return spikes


def _spikingjelly_fused(dtype: torch.dtype) -> Neuron:
    """Half precision with its precision setting, without which it leaves its fused path; stored as the input is."""
    from spikingjelly.activation_based import functional, surrogate
    fire, storage = surrogate.Sigmoid(SURROGATE_ALPHA), str(dtype).removeprefix('torch.')

    def spikes(x: Tensor) -> Tensor:
        v = torch.zeros_like(x[0])
        return functional.multi_step_lif(x, v, tau=2.0, decay_input=True, v_threshold=1.0, v_reset=0.0,
                                         detach_reset=True, surrogate_function=fire, neuron_storage=storage)[0]
    return spikes


def _snntorch(device: str) -> Neuron:
    """Resets within the step, as the others do; unlike theirs, the gradient passes through that reset."""
    import snntorch
    node = snntorch.Leaky(beta=0.5, reset_mechanism='zero', reset_delay=False,
                          spike_grad=snntorch.surrogate.sigmoid(slope=SURROGATE_ALPHA)).to(device)

    def spikes(x: Tensor) -> Tensor:
        v, out = torch.zeros_like(x[0]), []
        for x_t in x:
            spike, v = node(x_t / 2, v)  # it does not divide the input by tau
            out.append(spike)
        return torch.stack(out)
    return spikes


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return (u >= 0).to(u)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        s = (SURROGATE_ALPHA * ctx.saved_tensors[0]).sigmoid()
        return grad * SURROGATE_ALPHA * s * (1 - s)


def plain_loop(x: Tensor) -> Tensor:
    """As one writes it first: a Python loop over time, and autograd."""
    v, out = torch.zeros_like(x[0]), []
    for x_t in x:
        h = v + (x_t - v) / 2
        spike = _Fire.apply(h - 1)
        v = h * (1 - spike.detach())
        out.append(spike)
    return torch.stack(out)
