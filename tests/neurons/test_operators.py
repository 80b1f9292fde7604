"""The operators inside torch: checks of their registration, graphs, autocast, checkpointing, copies, processes."""
import copy
import pickle

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmspike.neurons import IF, LIF, ParametricLIF, if_, lif, operators, plif

LIF_ARGS = ('lif', 2.0, 1.0, 0.0, True, False, 'atan', 2.0, 'tiled')
PLIF_ARGS = ('plif', 2.0, 1.0, None, False, False, 'sigmoid', 4.0, 'tiled')


def _x(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * 1.5 + 0.4).to(dtype)


def _samples():
    x, v, w = _x(3, 2, 3, 4).requires_grad_(), _x(2, 3, 4, seed=1).requires_grad_(), _x(3, 1, seed=2).requires_grad_()
    folded = _x(2, 3, 3, 4).transpose(0, 1).requires_grad_()  # time inside the batch
    return {'lif': (x, v, None, *LIF_ARGS), 'plif': (x, v, w, *PLIF_ARGS), 'folded': (folded, v, None, *LIF_ARGS),
            'from rest': (x.detach().float().requires_grad_(), torch.zeros(()).expand(2, 3, 4), None, *LIF_ARGS)}


@pytest.mark.parametrize('name', _samples())
def test_registration(name):
    x, v, w, *settings = _samples()[name]
    torch.library.opcheck(operators.neuron, (x, v, w, *settings))
    grads = torch.ones_like(x).requires_grad_(), torch.ones_like(v).requires_grad_()
    torch.library.opcheck(operators.neuron_backward, (*grads, x, v, w, *settings))


@pytest.mark.parametrize('v_reset', [0.0, None, 0.2])
def test_gradients_of_gradients_are_those_of_the_reference(v_reset):
    x, v, w = _x(4, 2, 3).requires_grad_(), _x(2, 3, seed=1).requires_grad_(), _x(3, seed=2).requires_grad_()
    seconds = {}
    for backend in ('reference', 'tiled'):
        for name, run in (('plif', lambda b: plif(x, w, v, v_reset=v_reset, backend=b)),
                          ('if', lambda b: if_(x, v, v_reset=v_reset, surrogate='sigmoid', backend=b))):
            spikes, last = run(backend)
            first = torch.autograd.grad((spikes * _x(4, 2, 3, seed=3)).sum() + last.pow(2).sum(), (x, v),
                                        create_graph=True)
            seconds[name, backend] = torch.autograd.grad(sum(g.pow(2).sum() for g in first), (x, v, w),
                                                         allow_unused=True)
    for name in ('plif', 'if'):
        for a, b in zip(seconds[name, 'tiled'], seconds[name, 'reference'], strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
                assert a.abs().sum() > 0


def test_gradcheck_of_the_smooth_parts():
    x, v, w = _x(3, 2, 2).requires_grad_(), _x(2, 2, seed=1).requires_grad_(), _x(2, seed=2).requires_grad_()
    quiet = dict(v_threshold=50.0, v_reset=None, surrogate='rectangle', backend='tiled')
    assert torch.autograd.gradcheck(lambda x, w, v: plif(x, w, v, **quiet)[1], (x, w, v))
    assert torch.autograd.gradcheck(lambda x, v: lif(x, v, tau=1.7, decay_input=False, **quiet)[1], (x, v))


class _Net(nn.Module):
    """Three blocks: convolution, norm, neuron, over [T, B, C, H, W] folded batch-major."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(c, 4, 3, padding=1) for c in (2, 4, 4))
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(3))
        self.neurons = nn.ModuleList([LIF(tau=4 / 3), ParametricLIF(channels=4), IF(detach_reset=True)])

    def forward(self, x):
        for conv, norm, neuron in zip(self.convs, self.norms, self.neurons, strict=True):
            steps, batch = x.shape[:2]
            y = norm(conv(x.transpose(0, 1).flatten(0, 1)) * 3)
            x = neuron(y.unflatten(0, (batch, steps)).transpose(0, 1))
        return x


def _loss_and_gradients(net, x, run=None):
    net.zero_grad()
    out = (net if run is None else run)(x)
    out.float().square().mean().backward()
    return out.detach(), [p.grad.clone() for p in net.parameters()]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return _Net()


def _assert_same(got, expected, **tolerance):
    assert torch.equal(got[0], expected[0]) and 0 < got[0].float().mean() < 1
    for a, b in zip(got[1], expected[1], strict=True):
        torch.testing.assert_close(a, b, **tolerance)


def test_compiles_as_one_graph(net):
    net, x = net.double(), _x(3, 2, 2, 6, 6)
    compiled = torch.compile(net, fullgraph=True, backend='aot_eager')
    _assert_same(_loss_and_gradients(net, x, compiled), _loss_and_gradients(net, x), rtol=1e-10, atol=1e-12)


def test_exports(net):
    x = _x(3, 2, 2, 6, 6, dtype=torch.float32)
    batch = torch.export.Dim('batch', min=2)
    program = torch.export.export(net.eval(), (x,), dynamic_shapes=({1: batch},))
    assert 'torch.ops.mmspike.neuron.default' in program.graph_module.code
    more = _x(3, 5, 2, 6, 6, dtype=torch.float32, seed=1)
    assert torch.equal(program.module()(more), net(more))


def test_autocast(net):
    x = _x(3, 2, 2, 6, 6, dtype=torch.float32)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = net(x)
        assert net.neurons[0](x.bfloat16()).dtype == torch.bfloat16  # the output follows the input, as for ReLU
    out.float().sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in net.parameters())


def test_checkpointing(net):
    x = _x(3, 2, 2, 6, 6, dtype=torch.float32)
    net.eval()  # else the running statistics would move twice
    _assert_same(_loss_and_gradients(net, x, lambda x: checkpoint(net, x, use_reentrant=False)),
                 _loss_and_gradients(net, x))


def test_copies(net):
    x = _x(3, 2, 2, 6, 6, dtype=torch.float32)
    net.neurons[0].backend = 'tiled'
    expected = _loss_and_gradients(net, x)
    for again in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(again) == repr(net) and "backend='tiled'" in repr(again)
        _assert_same(_loss_and_gradients(again, x), expected)


def test_distributed(net, tmp_path):
    x = _x(3, 2, 2, 6, 6, dtype=torch.float32)
    expected = _loss_and_gradients(net, x)
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        _assert_same(_loss_and_gradients(net, x, nn.parallel.DistributedDataParallel(net)), expected)
    finally:
        dist.destroy_process_group()


def test_only_the_input_is_kept_for_backward():
    x, kept = _x(8, 100).requires_grad_(), []
    for backend in ('tiled', 'auto'):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
            lif(x, backend=backend)
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    storages.pop(x.untyped_storage().data_ptr())
    assert kept and sum(storages.values()) <= 2 * 8  # beyond x, one number for the membrane at rest


def test_unused_outputs_cost_no_memory():
    """The gradient of what was not used is one zero, expanded."""
    x = _x(4, 2, 3).requires_grad_()
    (from_v,) = torch.autograd.grad(lif(x, backend='tiled')[1].sum(), x)
    (expected,) = torch.autograd.grad(lif(x, backend='reference')[1].sum(), x)
    torch.testing.assert_close(from_v, expected, rtol=1e-12, atol=1e-12)
