import copy

import pytest
import torch
from torch import nn

from mmspike.analysis import SpikeRecorder
from mmspike.neurons import IF, LIF, LeakyIntegrator, ParametricLIF, SpikingJellyNeuron


class _Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = LIF(tau=1.5)
        self.inner = nn.Sequential(nn.Linear(6, 5), ParametricLIF())
        self.streamed = IF(v_reset=None)
        self.read_out = LeakyIntegrator()

    def forward(self, x):
        self.seen = [self.first(x)]
        self.seen.append(self.inner(self.seen[-1]))
        self.seen.append(self.streamed.run(self.seen[-1], 0.5)[0])
        return self.read_out(self.seen[-1])


@pytest.fixture
def net():
    torch.manual_seed(0)
    return _Net()


def _input(steps, batch, seed=1):
    return torch.randn(steps, batch, 6, generator=torch.Generator().manual_seed(seed)) * 3


def test_rates_of_every_neuron_over_calls(net):
    seen = []
    with SpikeRecorder(net) as recorder:
        for batch in (2, 3):
            net(_input(4, batch, seed=batch))
            seen.append(net.seen)
    assert list(recorder.rates) == list(recorder.elements) == ['first', 'inner.1', 'streamed']
    for i, name in enumerate(recorder.rates):
        expected = torch.cat([s[i] for s in seen], dim=1).flatten(1).double()
        torch.testing.assert_close(recorder.rates[name], expected.mean(1), rtol=0, atol=1e-12)
        assert recorder.elements[name].tolist() == [expected.shape[1]] * 4
        assert not recorder.rates[name].requires_grad
    assert 0 < recorder.rates['first'].mean() < 1


def test_nothing_is_recorded_outside_and_the_model_is_left_alone(net):
    x = _input(4, 2)
    before = net(x)
    with SpikeRecorder(net) as recorder:
        assert torch.equal(net(x), before)
    rates = recorder.rates
    net(x * 2)
    assert all(torch.equal(recorder.rates[k], rates[k]) for k in rates)
    assert not any(m._forward_hooks for m in net.modules())
    with pytest.raises(RuntimeError, match='inside'), SpikeRecorder(net):
        raise RuntimeError('inside')
    assert not any(m._forward_hooks for m in net.modules())
    with recorder:  # goes on where it stopped
        net(x * 2)
    assert recorder.elements['first'].tolist() == [24] * 4


def test_calls_of_different_length(net):
    with SpikeRecorder(net) as recorder:
        net(_input(2, 1))
        long = net.first(_input(4, 3))
        net.first(_input(3, 1))
    assert recorder.elements['first'].tolist() == [30, 30, 24, 18]
    assert recorder.rates['first'][3] == pytest.approx(long[3].mean().item())


def test_a_neuron_alone_and_outputs_beyond_one():
    class Ternary(LIF):
        def dynamics(self, x, v):
            return x, x[-1]

    with SpikeRecorder(Ternary()) as recorder:
        recorder_model = next(iter(recorder._neurons))
        recorder_model(torch.tensor([[1.0, -1.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0]]))
    assert recorder.rates['Ternary'].tolist() == [0.5, 0.75]


def test_spikes_of_half_precision_do_not_saturate():
    neuron = IF()
    with SpikeRecorder(neuron) as recorder:
        neuron(torch.ones(2, 100_000, dtype=torch.bfloat16))
    assert recorder.rates['IF'].tolist() == [1.0, 1.0]


def test_models_without_neurons_and_with_a_foreign_one():
    with SpikeRecorder(nn.Linear(2, 2)) as recorder:
        pass
    assert recorder.rates == {} and recorder.elements == {}
    pytest.importorskip('spikingjelly')
    net = nn.Sequential(nn.Linear(6, 6), SpikingJellyNeuron('LIFNode'))
    with SpikeRecorder(net) as recorder:
        spikes = net(_input(4, 2))
    torch.testing.assert_close(recorder.rates['1'], spikes.detach().flatten(1).double().mean(1))
    copy.deepcopy(net)
