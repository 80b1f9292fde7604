import copy
import pickle

import pytest
import torch

from mmspike.neurons import IF, LIF, LeakyIntegrator, ParametricLIF, SpikingNeuron, leaky_integrator, lif, plif

NEURONS = {
    'LIF': lambda: LIF(tau=1.5, v_reset=None),
    'IF': IF,
    'ParametricLIF': ParametricLIF,
    'ParametricLIF per channel': lambda: ParametricLIF(init_tau=3.0, channels=3),
    'LeakyIntegrator': LeakyIntegrator,
}


@pytest.fixture
def x():
    return torch.randn(5, 2, 3, 4, generator=torch.Generator().manual_seed(0)) + 0.5


@pytest.mark.parametrize('name', NEURONS)
def test_no_state_remains(name, x):
    neuron = NEURONS[name]()
    first = neuron(x.requires_grad_())
    first.sum().backward()
    neuron.run(x, 0.3)
    assert torch.equal(neuron(x), first)
    assert not list(neuron.buffers())
    for again in (copy.deepcopy(neuron), pickle.loads(pickle.dumps(neuron))):
        assert torch.equal(again(x), first) and repr(again) == repr(neuron)


@pytest.mark.parametrize('name', NEURONS)
def test_run_threads_the_membrane(name, x):
    neuron = NEURONS[name]()
    whole, v_whole = neuron.run(x)
    a, v = neuron.run(x[:2])
    b, v = neuron.run(x[2:], v)
    assert torch.equal(torch.cat([a, b]), whole) and torch.equal(v, v_whole)
    assert torch.equal(neuron(x), whole)


@pytest.mark.parametrize('name', NEURONS)
def test_forward_hooks_see_both_ways_of_calling(name, x):
    neuron, seen = NEURONS[name](), []
    neuron.register_forward_hook(lambda module, args, output: seen.append(output))
    out = neuron(x)
    out_run, v = neuron.run(x)
    assert torch.equal(seen[0], out) and seen[1][0] is out_run and seen[1][1] is v


def test_modules_call_the_functions(x):
    settings = dict(tau=1.5, v_threshold=0.8, v_reset=-0.1, decay_input=False, detach_reset=True,
                    surrogate='sigmoid', alpha=4.0)
    assert torch.equal(LIF(**settings)(x), lif(x, **settings)[0])
    neuron = ParametricLIF(init_tau=3.0, channels=3, v_threshold=0.8)
    assert torch.equal(neuron(x), plif(x, neuron.w, v_threshold=0.8)[0])
    assert torch.equal(LeakyIntegrator(3.0)(x), leaky_integrator(x, tau=3.0)[0])


def test_parametric_lif_learns_tau(x):
    for channels, shape in ((None, ()), (3, (3,))):
        neuron = ParametricLIF(init_tau=3.0, channels=channels)
        torch.testing.assert_close(neuron.tau, torch.full(shape, 3.0))
        assert list(neuron.state_dict()) == ['w'] and neuron.w.shape == shape
        neuron(x).sum().backward()
        assert (neuron.w.grad != 0).all()
    assert not list(LIF().parameters()) and not LIF().state_dict()


def test_repr_shows_the_settings():
    assert repr(LIF(1.5, v_reset=None)) == ("LIF(tau=1.5, v_threshold=1.0, v_reset=None, decay_input=True, "
                                            "detach_reset=False, surrogate='atan', alpha=2.0)")
    assert repr(IF()) == "IF(v_threshold=1.0, v_reset=0.0, detach_reset=False, surrogate='atan', alpha=2.0)"
    assert repr(LeakyIntegrator()) == 'LeakyIntegrator(tau=2.0, decay_input=True)'
    assert repr(ParametricLIF(channels=3)).startswith('ParametricLIF(channels=3, v_threshold=1.0')


def test_errors_at_construction():
    with pytest.raises(ValueError, match='tau=0.2 must be at least 1 time step'):
        LIF(tau=0.2)
    with pytest.raises(ValueError, match="surrogate='arctan' is not known.*Known: sigmoid, atan"):
        IF(surrogate='arctan')
    with pytest.raises(ValueError, match=r'init_tau=1.0 must be above 1, since tau = 1 / sigmoid\(w\)'):
        ParametricLIF(init_tau=1.0)
    with pytest.raises(NotImplementedError, match='SpikingNeuron must define dynamics'):
        SpikingNeuron()(torch.ones(1))
