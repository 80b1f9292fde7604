"""What a training step keeps for backward: less, and with the same gradients to the last bit."""
import gc

import pytest
import torch
from torch import Tensor, nn

from mmspike.analysis import SpikeRecorder
from mmspike.models.backbones import spiking_resnet
from mmspike.models.backbones.spiking_resnet import NEURON, NORM, SpikingBlock
from mmspike.models.backbones.spikingformer import ATTN_NEURON
from mmspike.models.backbones.spikingformer import NEURON as SPIKINGFORMER_NEURON
from mmspike.models.layers import SpikingSelfAttention, per_step
from mmspike.models.layers.fusion import GEGLU
from mmspike.models.layers.saving import saved_as


def block(stride: int = 1, neuron: dict = NEURON) -> tuple[SpikingBlock, Tensor]:
    torch.manual_seed(0)
    return SpikingBlock(8, 8 * stride, stride, neuron, NORM), torch.randn(3, 2, 8, 8, 8).mul(3).requires_grad_()


def step(module: SpikingBlock, x: Tensor) -> list[Tensor]:
    """Result, gradients and running statistics after one training step."""
    y = module(x)
    module.eval()  # backward must not look at the mode
    inputs = [x, *module.parameters()]
    return [y.detach(), *torch.autograd.grad(y.square().sum(), inputs), *(b.clone() for b in module.buffers())]


@pytest.mark.parametrize('neuron', [NEURON, dict(type='ParametricLIF'), dict(type='SpikingJellyNeuron', node='IFNode')],
                         ids=lambda neuron: neuron['type'])
@pytest.mark.parametrize('stride', [1, 2])
def test_gradients_are_those_of_the_plain_block(stride, neuron, monkeypatch):
    ours = step(*block(stride, neuron))
    monkeypatch.setattr(spiking_resnet, 'norm_and_fire', lambda norm, neuron, x: neuron(norm(x)))
    monkeypatch.setattr(spiking_resnet, 'conv_of_spikes', lambda conv, neuron, s: per_step(conv, s))
    plain = step(*block(stride, neuron))
    assert len(ours) == len(plain) and all(torch.equal(a, b) for a, b in zip(ours, plain, strict=True))
    assert ours[1].abs().sum() > 0


def small_tensors() -> list[Tensor]:
    gc.collect()
    return [o for o in gc.get_objects() if type(o) is Tensor and o.dtype == torch.int8]


def saved(module: nn.Module, x: Tensor) -> list[tuple]:
    """Dtypes and sizes of all small activations that are alive because of the graph alone."""
    others = small_tensors()  # of other tests: a compiler keeps some
    y = module(x)
    old = {id(o) for o in others}
    kept = {o.untyped_storage()._cdata: (o.dtype, o.numel()) for o in small_tensors() if id(o) not in old}
    del y
    return list(kept.values())


def test_spikes_are_kept_as_int8():
    module, x = block()
    assert saved(module, x) == [(torch.int8, x.numel())] * 2
    with torch.no_grad():
        assert saved(module, x) == []


def test_the_recorder_sees_each_neuron_once():
    module, x = block()
    with SpikeRecorder(module) as recorder:
        module(x).sum().backward()
    assert {name: n.tolist() for name, n in recorder.elements.items()} == dict.fromkeys(('lif1', 'lif2'), [1024.] * 3)


def test_a_hook_that_changes_the_spikes_counts():
    module, x = block()
    module.lif1.register_forward_hook(lambda _, args, spikes: spikes * 0.3)
    a = step(module, x)
    whole, _ = block()
    whole.conv1.weight.data.mul_(0.3)  # the same network; its weight's gradient is the larger by 1 / 0.3
    b = step(whole, x)
    torch.testing.assert_close(a[2], b[2] * 0.3, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('name', ['lif', 'qkv_lif', 'attn_lif'])
def test_a_hook_in_the_attention_counts(name):
    """Spikes that a hook makes to fractions are kept as they are."""
    torch.manual_seed(0)
    attention = SpikingSelfAttention(16, 4, SPIKINGFORMER_NEURON, ATTN_NEURON).double()
    attention.get_submodule(name).register_forward_hook(lambda _, args, spikes: spikes * 0.7)
    x = torch.randn(2, 2, 3, 16, dtype=torch.float64).mul(4).requires_grad_()
    weight = torch.randn(2, 2, 3, 16, dtype=torch.float64)
    ours = torch.autograd.grad((attention(x) * weight).sum(), [x, *attention.parameters()])
    plain = torch.autograd.grad((plain_attention(attention, x) * weight).sum(), [x, *attention.parameters()])
    for a, b in zip(ours, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    assert ours[0].abs().sum() > 0


def plain_attention(attention: SpikingSelfAttention, x: Tensor) -> Tensor:
    axes = x.shape[:3]
    qkv = attention.qkv_norm(attention.qkv(attention.lif(x)).flatten(0, 2)).unflatten(0, axes)
    q, k, v = attention.qkv_lif(qkv).unflatten(3, (3, 4, -1)).permute(3, 0, 1, 4, 2, 5)
    y = attention.attn_lif((q @ k.transpose(-2, -1) @ v / 8).transpose(2, 3).flatten(3))
    return attention.proj_norm(attention.proj(y).flatten(0, 2)).unflatten(0, axes)


def test_activation_checkpoint():
    module, x = block()
    plain = torch.autograd.grad(module(x).square().sum(), [x, *module.parameters()])
    y = torch.utils.checkpoint.checkpoint(module, x, use_reentrant=False)
    again = torch.autograd.grad(y.square().sum(), [x, *module.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))


def test_saved_as_gives_back_views_and_leaves_others_alone():
    calls = []
    x, linear = torch.randn(4, 3, requires_grad=True), nn.Linear(3, 2)
    y = x.exp()
    value = y.detach().clone()
    with saved_as(y, lambda: calls.append(1) or value):
        z = linear(y.unflatten(0, (2, 2)))
    assert not calls
    z.sum().backward()
    assert calls == [1]
    torch.testing.assert_close(linear.weight.grad, value.sum(0).expand(2, 3))


def test_gated_network_keeps_what_its_first_layer_gives():
    torch.manual_seed(0)
    ffn, x = GEGLU(4), torch.randn(2, 3, 4, requires_grad=True)
    plain = nn.Sequential(ffn.proj_in, Gate(), ffn.proj_out)
    results = [torch.autograd.grad(module(x).square().sum(), [x, *ffn.parameters()]) for module in (ffn, plain)]
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


class Gate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        value, gate = x.chunk(2, dim=-1)
        return value * nn.functional.gelu(gate)


@pytest.mark.parametrize('make', [lambda: (GEGLU(8), torch.randn(2, 3, 8)), block], ids=['fusion', 'block'])
def test_compiled_without_a_break(make):
    module, x = make()
    torch.testing.assert_close(torch.compile(module, fullgraph=True, backend='aot_eager')(x), module(x))
