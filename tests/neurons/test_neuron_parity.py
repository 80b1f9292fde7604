"""The neurons against SpikingJelly 2.0 and against numbers from the original implementations, in float64."""
from itertools import product

import numpy as np
import pytest
import torch

from mmspike.neurons import IF, LIF, LeakyIntegrator, ParametricLIF, lif
from mmspike.neurons.surrogate import fire


def _run(neuron, x, weight, v=None):
    """Spikes, final membrane, and gradients of sum(weight * spikes) + sum(v^2): both outputs count."""
    x = x.detach().requires_grad_()
    spikes, v_out = neuron(x, v)
    ((spikes * weight).sum() + v_out.square().sum()).backward()
    return spikes.detach(), v_out.detach(), x.grad


def _theirs(node, v=None):
    def run(x, _):
        node.reset()
        if v is not None:
            node.v = v
        return node(x), node.v
    return run


@pytest.fixture(scope='module')
def signals():
    random = np.random.RandomState(0)
    x = torch.from_numpy(random.standard_normal((9, 4, 6, 5)) * 1.2 + 0.4)
    x[:, 0, 0] = torch.tensor([0.5, 1.0, 2.0, -1.0, 0.0])  # exact ties with the threshold
    return x, torch.from_numpy(random.standard_normal(x.shape))


def _library():
    pytest.importorskip('spikingjelly')
    from spikingjelly.activation_based import neuron, surrogate
    return neuron, surrogate


RESETS = (0.0, None, -0.3, 0.2)


def _assert_same(ours, theirs, x, weight):
    (s, v, g), (s2, v2, g2) = _run(ours, x, weight), _run(theirs, x, weight)
    assert torch.equal(s, s2) and 0 < s.mean() < 1
    torch.testing.assert_close(v, v2, rtol=0, atol=1e-12)
    torch.testing.assert_close(g, g2, rtol=0, atol=1e-12)


@pytest.mark.parametrize('tau', [1.25, 4 / 3, 2.0, 7.0])
@pytest.mark.parametrize('v_reset', RESETS)
def test_lif_equals_spikingjelly(signals, tau, v_reset):
    neuron, surrogate = _library()
    for decay_input, detach_reset, v_threshold in product((True, False), (True, False), (1.0, 0.5)):
        settings = dict(tau=tau, v_threshold=v_threshold, v_reset=v_reset, decay_input=decay_input,
                        detach_reset=detach_reset)
        node = neuron.LIFNode(**settings, surrogate_function=surrogate.ATan(alpha=2.0), step_mode='m')
        _assert_same(LIF(**settings, surrogate='atan', alpha=2.0).run, _theirs(node), *signals)


@pytest.mark.parametrize(('ours', 'theirs', 'alpha'), [
    ('sigmoid', 'Sigmoid', 4.0), ('triangle', 'PiecewiseQuadratic', 1.0), ('rectangle', 'Rect', 1.0),
    ('erf', 'Erf', 2.0), ('soft_sign', 'SoftSign', 2.0), ('super_spike', 'SuperSpike', 1.0)])
def test_surrogates_in_the_loop_equal_spikingjelly(signals, ours, theirs, alpha):
    neuron, surrogate = _library()
    for v_reset, detach_reset in product((0.0, None), (True, False)):
        settings = dict(v_reset=v_reset, detach_reset=detach_reset)
        node = neuron.LIFNode(**settings, surrogate_function=getattr(surrogate, theirs)(alpha=alpha), step_mode='m')
        _assert_same(LIF(**settings, surrogate=ours, alpha=alpha).run, _theirs(node), *signals)


@pytest.mark.parametrize('v_reset', RESETS)
@pytest.mark.parametrize('detach_reset', [True, False])
def test_if_equals_spikingjelly(signals, v_reset, detach_reset):
    neuron, surrogate = _library()
    settings = dict(v_threshold=0.75, v_reset=v_reset, detach_reset=detach_reset)
    node = neuron.IFNode(**settings, surrogate_function=surrogate.ATan(), step_mode='m')
    _assert_same(IF(**settings).run, _theirs(node), *signals)


@pytest.mark.parametrize('v_reset', RESETS)
def test_parametric_lif_equals_spikingjelly(signals, v_reset):
    neuron, surrogate = _library()
    for decay_input, detach_reset in product((True, False), (True, False)):
        settings = dict(v_reset=v_reset, decay_input=decay_input, detach_reset=detach_reset)
        node = neuron.ParametricLIFNode(init_tau=1.8, **settings, surrogate_function=surrogate.ATan(),
                                        step_mode='m').double()
        ours = ParametricLIF(init_tau=1.8, **settings).double()
        assert ours.w.item() == pytest.approx(node.w.item(), abs=1e-7)
        ours.w.data.copy_(node.w.data)
        _assert_same(ours.run, _theirs(node), *signals)
        torch.testing.assert_close(ours.w.grad, node.w.grad.view(()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('decay_input', [True, False])
def test_initial_membrane_and_its_gradient_equal_spikingjelly(signals, decay_input):
    neuron, surrogate = _library()
    x, weight = signals
    settings = dict(tau=3.0, v_reset=None, decay_input=decay_input)
    node = neuron.LIFNode(**settings, surrogate_function=surrogate.ATan(), step_mode='m')
    v, v2 = (torch.linspace(-1, 2, x[0].numel(), dtype=x.dtype).view(x[0].shape).requires_grad_() for _ in range(2))
    ours, theirs = _run(LIF(**settings).run, x, weight, v), _run(_theirs(node, v2), x, weight)
    assert torch.equal(ours[0], theirs[0])
    torch.testing.assert_close(ours[2], theirs[2], rtol=0, atol=1e-12)
    torch.testing.assert_close(v.grad, v2.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize('decay_input', [True, False])
def test_leaky_integrator_is_a_lif_that_never_fires(signals, decay_input):
    neuron, surrogate = _library()
    x, _ = signals
    node = neuron.LIFNode(tau=3.0, v_threshold=1e9, v_reset=None, decay_input=decay_input, step_mode='m',
                          store_v_seq=True)
    node(x)
    torch.testing.assert_close(LeakyIntegrator(tau=3.0, decay_input=decay_input)(x), node.v_seq, rtol=0, atol=1e-12)


# ---- numbers from the original implementations

def test_golden_respike(golden):
    data = {k: torch.from_numpy(a) for k, a in np.load(golden / 'units/respike_lif.npz').items()}
    settings = dict(tau=data['tau'].item(), detach_reset=True)
    x = data['x'].requires_grad_()
    spikes, v = lif(x, **settings)
    (spikes * data['w']).sum().backward()
    safe = slice(1, None)  # column 0 meets the threshold to the last bit: rounding decides
    assert torch.equal(spikes[:, safe], data['spike'][:, safe])
    torch.testing.assert_close(v[safe], data['v_post'][-1, safe], rtol=0, atol=1e-12)
    torch.testing.assert_close(x.grad[:, safe], data['grad_x'][:, safe], rtol=0, atol=1e-12)
    v = None
    for t in range(len(x)):  # the membrane after every step, streamed
        _, v = lif(x[t:t + 1], v, **settings)
        torch.testing.assert_close(v[safe], data['v_post'][t, safe], rtol=0, atol=1e-12)

    u = data['sg_u'].requires_grad_()
    s = fire(u, 'atan', 2.0)
    s.sum().backward()
    assert torch.equal(s, data['sg_fwd'])
    torch.testing.assert_close(u.grad, data['sg_grad'], rtol=0, atol=1e-12)


@pytest.mark.parametrize('threshold', ['1.0', '0.5'])
@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_golden_spikingformer(golden, threshold, dtype):
    data = torch.load(golden / 'units/snnpar_lif.pt', weights_only=True)
    case = data[f'th{threshold}_{dtype}']
    settings = dict(tau=2.0, v_threshold=float(threshold), surrogate='sigmoid', alpha=4.0)
    for detach_reset, key in ((True, 'grad_x'), (False, 'grad_x_detach_reset_false')):
        x = case['x'].clone().requires_grad_()
        spikes, v = lif(x, detach_reset=detach_reset, **settings)
        (spikes * case['w']).sum().backward()
        assert torch.equal(spikes, case['lif_spikes'].to(x.dtype))
        torch.testing.assert_close(v, case['v_seq'][-1], rtol=0, atol=1e-6 if dtype == 'float32' else 1e-12)
        torch.testing.assert_close(x.grad, case[key], rtol=0, atol=1e-6 if dtype == 'float32' else 1e-12)
    carried, v = lif(case['x_second'], v.detach(), **settings)
    assert torch.equal(carried, case['lif_spikes_second_no_reset'].to(x.dtype))
    torch.testing.assert_close(v, case['v_second_no_reset'][-1], rtol=0, atol=1e-6)
    assert torch.equal(lif(case['x_second'], **settings)[0], case['lif_spikes_second_after_reset'].to(x.dtype))


def test_golden_ties_fire(golden):
    tie = torch.load(golden / 'units/snnpar_lif.pt', weights_only=True)['tie']
    spikes, v = lif(tie['x'], tau=2.0, v_threshold=0.5)
    assert torch.equal(spikes, tie['lif_spikes'].float()) and torch.equal(v, tie['v_seq'][-1])


@pytest.mark.parametrize('detach_reset', [True, False])
def test_golden_hybrid_pose(golden, detach_reset):
    """Soft reset from a given membrane; the loss sees the membrane of every step and reaches the initial one."""
    data = torch.load(golden / 'units/hybrid_lif_f64.pt', weights_only=True)
    case = data[f'vinit_detach_{detach_reset}']
    x, v0 = data['x'].clone().requires_grad_(), data['v0'].clone().requires_grad_()
    v, loss = v0, 0
    for t in range(len(x)):
        spikes, v = lif(x[t:t + 1], v, tau=3.0, v_reset=None, detach_reset=detach_reset, alpha=data['atan_alpha'])
        loss = loss + (t + 1) * spikes.sum() + 0.1 * v.square().sum()
        assert torch.equal(spikes[0], case['spikes'][t])
        torch.testing.assert_close(v, case['v_after_reset'][t], rtol=0, atol=1e-12)
    loss.backward()
    assert loss.item() == pytest.approx(case['loss'], abs=1e-10)
    torch.testing.assert_close(x.grad, case['grad_x'], rtol=0, atol=1e-12)
    torch.testing.assert_close(v0.grad, case['grad_v0'], rtol=0, atol=1e-12)
