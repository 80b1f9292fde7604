import copy
import pickle
import subprocess
import sys

import pytest
import torch

from mmspike.neurons import LIF, SpikingJellyNeuron

pytest.importorskip('spikingjelly')

NODES = {
    'IFNode': {}, 'LIFNode': dict(tau=1.5, v_reset=None), 'ParametricLIFNode': {}, 'QIFNode': {}, 'EIFNode': {},
    'IzhikevichNode': {}, 'KLIFNode': {}, 'ComplementaryLIFNode': {}, 'CUBALIFNode': {}, 'ILIFNode': {},
    'TernaryLIFNode': {}, 'SimpleLIFNode': dict(tau=2.0, decay_input=True), 'MPBNLIFNode': dict(out_channels=3),
    'GatedLIFNode': dict(T=4), 'PSN': dict(T=4), 'MaskedPSN': dict(k=2, T=4), 'SlidingPSN': dict(k=2),
}
FIXED_LENGTH = {'GatedLIFNode', 'PSN', 'MaskedPSN', 'SlidingPSN'}  # they see all T steps at once: nothing to stream


@pytest.fixture
def x():
    return torch.randn(4, 2, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 + 0.5


@pytest.mark.parametrize('node', NODES)
def test_no_state_remains(node, x):
    neuron = SpikingJellyNeuron(node, NODES[node])
    first = neuron(x.requires_grad_())
    assert first.shape == x.shape
    first.sum().backward()
    assert x.grad.isfinite().all()
    neuron(x * 2)
    assert torch.equal(neuron(x), first)
    for again in (copy.deepcopy(neuron), pickle.loads(pickle.dumps(neuron))):
        assert torch.equal(again(x), first)


@pytest.mark.parametrize('node', sorted(set(NODES) - FIXED_LENGTH))
def test_streaming_equals_one_call(node, x):
    neuron = SpikingJellyNeuron(node, NODES[node]).eval()
    whole, _ = neuron.run(x)
    a, v = neuron.run(x[:1])
    b, v = neuron.run(x[1:], v)
    assert torch.equal(torch.cat([a, b]), whole)


def test_equals_our_own_lif(x):
    x = x.double()
    theirs = SpikingJellyNeuron('LIFNode', dict(tau=1.5, detach_reset=True), 'ATan', dict(alpha=2.0))
    spikes, v = LIF(tau=1.5, detach_reset=True).run(x, 0.3)
    their_spikes, their_v = theirs.run(x, 0.3)
    assert torch.equal(spikes, their_spikes) and torch.equal(v, their_v)
    assert torch.equal(theirs.run(x, torch.tensor(0.3).double())[0], theirs.run(x, torch.full_like(x[0], 0.3))[0])


def test_an_error_inside_leaves_no_state(x):
    neuron = SpikingJellyNeuron('PSN', dict(T=4))
    with pytest.raises(RuntimeError):
        neuron(x[:3])
    neuron = SpikingJellyNeuron('LIFNode')
    first = neuron(x)
    with pytest.raises(ValueError, match=r"got a state for \['u'\], but this neuron has \['v'\]"):
        neuron.run(x, dict(u=x[0]))
    assert torch.equal(neuron(x), first)


@pytest.mark.parametrize(('args', 'error', 'message'), [
    (dict(node='LIFNod'), ValueError, "node='LIFNod' is no spiking class.*Did you mean 'LIFNode'.*Known: .*IFNode"),
    (dict(surrogate='Atan'), ValueError, "surrogate='Atan' is no spiking class.*Did you mean 'ATan'.*Known: ATan"),
    (dict(node_args=dict(tua=2.0)), TypeError, "LIFNode does not take.*'tua'.*Its arguments: tau, decay_input"),
    (dict(node_args=dict(v_reset=0)), ValueError, r'LIFNode refuses .*numbers must be floats: 1.0, not 1'),
    (dict(node='OTTTLIFNode'), ValueError, 'OTTTLIFNode runs single steps only'),
    (dict(surrogate_args=dict(alpha=2.0)), ValueError, "surrogate_args=.* need a surrogate, such as surrogate='ATan'"),
])
def test_errors(args, error, message):
    with pytest.raises(error, match=message):
        SpikingJellyNeuron(**args)


def test_absent_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'spikingjelly', None)
    with pytest.raises(ImportError, match=r"needs SpikingJelly 2.0: pip install 'spikingjelly>=2,<3'"):
        SpikingJellyNeuron('LIFNode')


def test_library_is_imported_only_when_needed():
    code = 'import sys, mmspike.neurons; sys.exit(any(m.split(".")[0] == "spikingjelly" for m in sys.modules))'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
