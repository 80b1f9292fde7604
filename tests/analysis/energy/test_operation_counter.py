"""Counts of small networks equal those made by hand or by doing every product, one by one."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmspike.analysis.energy import OperationCounter
from mmspike.analysis.energy.received import Received, look
from mmspike.neurons import LIF, LeakyIntegrator, ParametricLIF, backend, lif

SPIKES = torch.Generator().manual_seed(0)


def spikes(*shape, rate=0.3):
    return (torch.rand(shape, generator=SPIKES) < rate).float()


def count(model, *inputs, samples=1):
    with OperationCounter(model) as counter:
        model(*inputs)
    return counter.take(samples)


class Function(nn.Module):
    """A function as a model."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def test_linear_by_hand():
    model = nn.Linear(3, 5)
    layer = count(model, torch.tensor([[1., 0., 0.], [1., 1., 0.]])).layers['Linear']
    assert (layer.dense, layer.effective, layer.acs, layer.macs, layer.bias) == (30, 15, 15, 0, 10)
    assert layer.received == (Received(6, 3, 'binary', 1.0),)
    assert (layer.weights, layer.weight_zeros, layer.calls, layer.outputs) == (15, 0, 1, 10)
    layer = count(model, torch.tensor([[1., 0., .5], [1., 1., 0.]])).layers['Linear']
    assert (layer.acs, layer.macs, layer.effective_macs) == (0, 30, 20)


def test_convolution_by_hand():
    """4x4 input, 3x3 kernel, padding 1: a spike in a corner is used by 4 positions, at an edge by 6, inside by 9."""
    x = torch.zeros(1, 1, 4, 4)
    for place, uses in (((0, 0), 4), ((0, 1), 6), ((1, 1), 9)):
        x.zero_()[0, 0, place[0], place[1]] = 1
        layer = count(nn.Conv2d(1, 7, 3, padding=1, bias=False), x).layers['Conv2d']
        assert (layer.dense, layer.acs, layer.bias) == (16 * 9 * 7, uses * 7, 0)
    layer = count(nn.Conv2d(1, 7, 3, stride=2, padding=1), x).layers['Conv2d']  # of the 9, those at even positions
    assert (layer.dense, layer.acs, layer.bias) == (4 * 9 * 7, 4 * 7, 28)


CONVOLUTIONS = {
    'stride, padding': nn.Conv2d(4, 6, 3, stride=2, padding=1),
    'groups': nn.Conv2d(4, 6, 3, padding=1, groups=2),
    'depth-wise': nn.Conv2d(4, 8, (3, 1), groups=4),
    'dilation': nn.Conv2d(4, 2, 3, dilation=2, padding=(2, 1)),
    '1-d': nn.Conv1d(4, 6, 3, stride=2, padding=2, groups=2),
    '3-d': nn.Conv3d(4, 2, (1, 3, 3), padding=(0, 1, 1), groups=2),
    'circular': nn.Conv2d(4, 2, 3, padding=1, padding_mode='circular'),
    'transposed': nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
    'transposed, groups': nn.ConvTranspose2d(4, 6, 5, stride=2, padding=2, groups=2),
    'transposed, 1-d, dilation': nn.ConvTranspose1d(4, 3, 3, dilation=2),
}


@pytest.mark.parametrize('zero_weights', [False, True])
@pytest.mark.parametrize('name', CONVOLUTIONS)
def test_convolutions_equal_counting_in_full(name, zero_weights):
    """Ones in place of all non-zeros: then the sum of all outputs is the number of products without a 0."""
    conv = CONVOLUTIONS[name]
    nn.init.uniform_(conv.weight, 0.5, 1)
    if zero_weights:
        with torch.no_grad():
            conv.weight[torch.rand(conv.weight.shape, generator=SPIKES) < 0.4] = 0
    size = {'1': (9,), '3': (3, 6, 5)}.get(type(conv).__name__[-2], (7, 6))
    x = spikes(2, 4, *size)
    layer = count(conv, x).layers[type(conv).__name__]
    with torch.no_grad():
        ones = type(conv)(**{k: getattr(conv, k) for k in (
            'in_channels', 'out_channels', 'kernel_size', 'stride', 'padding', 'dilation', 'groups', 'padding_mode')},
            **(dict(output_padding=conv.output_padding) if 'Transpose' in type(conv).__name__ else {}), bias=False)
        ones.weight.copy_(conv.weight != 0)
        assert layer.acs == int(ones(x).sum())
        if not zero_weights and 'Transpose' not in type(conv).__name__:
            assert layer.dense == ones(x).numel() * conv.weight[0].numel()
        elif not zero_weights:
            assert layer.dense == x.numel() * conv.weight[0].numel()
    assert layer.weight_zeros == int((conv.weight == 0).sum())


@pytest.mark.parametrize('function', [
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
    lambda q, k, v: torch.einsum('bhlm,bhmd->bhld', torch.einsum('bhld,bhmd->bhlm', q, k).softmax(-1), v),
    lambda q, k, v: (q @ k.transpose(-1, -2)).softmax(-1) @ v,
])
def test_attention(function):
    q, k, v = spikes(2, 3, 5, 4), torch.randn(2, 3, 6, 4), torch.randn(2, 3, 6, 4)
    k[0, 0, :, 1] = 0
    v[..., 0] = 0
    first, second = count(Function(lambda _, *x: function(*x)), q, k, v).layers.values()
    pairs = torch.einsum('bhld,bhmd->', q, (k != 0).float())
    assert (first.dense, first.acs, first.macs) == (2 * 3 * 5 * 6 * 4, int(pairs), 0)
    assert (second.dense, second.acs, second.effective_macs) == (2 * 3 * 5 * 6 * 4, 0, 2 * 3 * 5 * 6 * 3)
    assert [x.kind for x in first.received] == ['binary', 'real'] and first.weights == 0
    assert first.name.startswith('Function [') and first.name != second.name


def test_masked_attention_has_no_products_with_what_is_not_seen():
    q, k, v = (torch.randn(1, 2, 4, 8) for _ in range(3))
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]).bool()
    for settings in (dict(is_causal=True), dict(attn_mask=mask),
                     dict(attn_mask=torch.zeros(4, 4).masked_fill(~mask, -torch.inf))):
        account = count(Function(lambda _, *x, s=settings: F.scaled_dot_product_attention(*x, **s)), q, k, v)
        second = list(account.layers.values())[1]
        assert (second.dense, second.effective_macs) == (2 * 16 * 8, 2 * 10 * 8)


def test_integers_chosen_by_spikes_are_accumulated():
    """As in ``q (k^T v)``: whole numbers, selected by q."""
    k, v, q = spikes(2, 8, 5), spikes(2, 8, 6), spikes(2, 8, 5)
    inner, outer = count(Function(lambda _, q, k, v: q.bmm(k.transpose(1, 2).bmm(v))), q, k, v).layers.values()
    assert inner.acs == int(torch.einsum('bnd,bne->', k, v)) and inner.macs == 0
    product = k.transpose(1, 2).bmm(v)
    assert [x.kind for x in outer.received] == ['binary', 'integer']
    assert outer.acs == int(q.bmm((product != 0).float()).sum()) and outer.macs == 0
    assert inner.name == 'Function [bmm]' and outer.name == 'Function [bmm 2]'


def test_matrix_products_of_all_kinds():
    a, b, v = torch.randn(4, 5), torch.randn(5, 6), torch.randn(5)
    for function, dense in ((lambda: a @ b, 120), (lambda: a @ v, 20), (lambda: v @ v, 5), (lambda: v @ b, 30),
                            (lambda: torch.addmv(torch.zeros(4), a, v), 20), (lambda: torch.vdot(v, v), 5),
                            (lambda: torch.baddbmm(torch.zeros(1, 4, 6), a[None], b[None], beta=0), 120),
                            (lambda: torch.addbmm(torch.zeros(4, 6), a[None], b[None]), 120),
                            (lambda: torch.einsum('ij,jk->ik', a, b), 120)):
        account = count(Function(lambda _, f=function: f()))
        assert account.sum('dense') == account.sum('effective') == dense and not account.uncounted


def test_sums_of_rows_with_factors():
    rows, shares = torch.tensor([[0, 1], [2, 2]]), torch.tensor([[.5, 0.], [1., 1.]])
    table = torch.tensor([[1., 2., 0.], [3., 4., 5.], [0., 0., 7.]])
    account = count(Function(lambda _: F.embedding_bag(rows, table, per_sample_weights=shares, mode='sum')))
    (layer,) = account.layers.values()
    assert (layer.dense, layer.effective_macs) == (12, 2 + 1 + 1)
    assert not count(Function(lambda _: F.embedding_bag(rows, table, mode='sum'))).layers


def test_a_layer_is_itself_however_it_is_called():
    model = Function(lambda m, x: m.conv(x) + F.conv2d(x, m.conv.weight)
                     + F.linear(x.movedim(1, -1), m.conv.weight.flatten(1)).movedim(-1, 1), conv=nn.Conv2d(3, 4, 1))
    layer = count(model, torch.randn(2, 3, 5, 5)).layers['conv']
    assert (layer.dense, layer.calls, layer.weights, layer.bias) == (3 * 600, 3, 12, 200)


def test_weights_cast_by_autocast_are_the_layers():
    model = Function(lambda m, x: m.fc(x), fc=nn.Linear(4, 3, bias=False))
    with torch.autocast('cpu', torch.bfloat16):
        layer = count(model, torch.randn(2, 4)).layers['fc']
    assert (layer.dense, layer.weights) == (24, 12) and len(layer.received) == 1


@pytest.mark.parametrize('cast_before', [False, True])
def test_weights_cast_by_autocast_are_the_layers_wherever_they_are_used(cast_before):
    """An attention uses those of its parts; autocast keeps what it has cast, so that a second forward casts nothing."""
    model, x = nn.MultiheadAttention(8, 2, batch_first=True).eval(), torch.randn(2, 3, 8)
    model.requires_grad_(cast_before)  # autocast keeps copies of what is trained alone
    with torch.autocast('cpu', torch.bfloat16), OperationCounter(model) as counter:
        for _ in range(2):
            model(x, x, x, need_weights=False)
    layers = counter.take(2).layers
    assert {name: (layer.weights, layer.dense, len(layer.received)) for name, layer in layers.items()} == {
        'MultiheadAttention.in_proj_weight': (192, 2 * 6 * 192, 1), 'out_proj': (64, 2 * 6 * 64, 1),
        'MultiheadAttention [q k]': (0, 2 * 2 * 9 * 8, 2), 'MultiheadAttention [weights v]': (0, 2 * 2 * 9 * 8, 2)}


def test_weights_laid_out_anew_are_the_layers():
    model = Function(lambda m, x: torch.einsum('bnd,hde->bhne', x, m.fc.weight.unflatten(0, (3, 4))),
                     fc=nn.Linear(6, 12))
    (layer,) = count(model, torch.randn(2, 5, 4)).layers.values()
    assert (layer.name, layer.weights, layer.dense) == ('fc', 72, 2 * 5 * 72)


def test_weights_repeated_for_each_sample_are_an_activation():
    model = Function(lambda m, x: m.fc.weight.repeat(2, 1, 1) @ x, fc=nn.Linear(4, 3))
    (layer,) = count(model, torch.randn(2, 4, 5)).layers.values()
    assert (layer.weights, len(layer.received), layer.dense) == (0, 2, 2 * 3 * 4 * 5)


def test_complex_numbers_are_no_spikes():
    (layer,) = count(Function(lambda _, x: x @ x), torch.eye(3, dtype=torch.complex64)).layers.values()
    assert (layer.received[0].kind, layer.macs) == ('real', 27)


def test_moving_gates_apart_multiplies_nothing():
    assert 'unsafe_split' not in count(nn.GRU(4, 5), torch.randn(3, 2, 4)).uncounted


def test_zeros_are_those_of_the_weights_that_ran():
    """Weights made anew for each call may lie where others lay before."""
    class Scaled(nn.Module):
        def __init__(self, zeros):
            super().__init__()
            self.flat = torch.arange(16) >= zeros

        def forward(self, x):
            return F.conv2d(x, self.flat.float().view(4, 4, 1, 1))

    layers = count(nn.Sequential(Scaled(5), Scaled(0), Scaled(9)), torch.ones(1, 4, 2, 2)).layers
    assert [layer.weight_zeros for layer in layers.values()] == [5, 0, 9]


def test_a_part_that_runs_itself_again():
    def twice(model, x, again=True):
        return model.fc(model(x, False) if again else x) @ x.T

    assert count(Function(twice, fc=nn.Linear(3, 3)), torch.ones(3, 3)).sum('dense') == 4 * 27


def test_products_of_whole_numbers():
    a, b = torch.tensor([[1, 0], [1, 1]]).repeat(16, 4).to(torch.int8), torch.tensor([[2, 3], [0, 1]]).repeat(4, 4)
    (layer,) = count(Function(lambda _: torch._int_mm(a, b.to(torch.int8)))).layers.values()
    assert (layer.dense, [x.kind for x in layer.received]) == (32 * 8 * 8, ['binary', 'integer'])
    assert layer.acs == int(((a != 0).double() @ (b != 0).double()).sum())


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_transformers_of_torch_are_seen_through(mode):
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = torch.randn(3, 5, 8)
    with mode():
        account = count(model, x)
    assert account.sum('dense') == 3 * 5 * (8 * 24 + 8 * 8 + 2 * 8 * 16) + 2 * 3 * 2 * 25 * 4
    assert {'self_attn.in_proj_weight', 'self_attn.out_proj', 'linear1', 'linear2'} <= set(account.layers)
    assert torch.backends.mha.get_fastpath_enabled()


def test_grouped_steps_and_neurons():
    """T and B folded for the convolution, neurons over T: rates, updates and state of what was really there."""
    model = Function(lambda m, x: m.out(m.lif(m.conv(x.flatten(0, 1)).unflatten(0, x.shape[:2]))),
                     conv=nn.Conv2d(2, 3, 3, padding=1), lif=LIF(), out=LeakyIntegrator())
    nn.init.constant_(model.conv.bias, 1.)
    x = spikes(4, 2, 2, 6, 6)
    account = count(model, x, samples=2)
    currents = model.conv(x.flatten(0, 1)).unflatten(0, (4, 2))
    expected = model.lif(currents).flatten(1).mean(1)
    neurons, out = account.neurons['lif'], account.neurons['out']
    assert neurons.rates == pytest.approx(expected.tolist()) and neurons.fires and not out.fires
    assert (neurons.updates, neurons.state, neurons.state_bytes) == (4 * 2 * 108, 216, 864)
    assert account.updates == 2 * 864 and account.steps == 4 and neurons.rate == pytest.approx(expected.mean().item())
    layer = account.layers['conv']
    assert layer.first and layer.feeds == 'lif' and layer.calls == 2  # one by one, two samples need the weights twice
    assert account.activation_sparsity == pytest.approx(1 - expected.mean().item())


@pytest.mark.parametrize('name', ['reference', 'tiled', 'compiled'])
def test_what_neurons_do_inside_is_no_operation(name):
    model = Function(lambda m, x: lif(m.lif(x) * 3)[0], lif=ParametricLIF())
    with backend(name):
        account = count(model, torch.randn(3, 2, 4) * 3)
    assert account.neurons['Function [lif]'].updates == account.neurons['lif'].updates == 24
    assert account.uncounted == {'mul': 24} and not account.layers and not account.unknown


def test_neurons_of_spikingjelly():
    pytest.importorskip('spikingjelly')
    from mmspike.neurons import SpikingJellyNeuron
    account = count(nn.Sequential(nn.Linear(4, 4), SpikingJellyNeuron('LIFNode')), spikes(3, 2, 4))
    assert account.neurons['1'].updates == 24 and not account.uncounted


def test_results_stay_the_same_and_nothing_is_left_behind():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()
    x = torch.randn(2, 2, 6, 6)
    before = model(x)
    with OperationCounter(model) as counter:
        assert torch.equal(model(x), before) and not model(x).requires_grad
        first = counter.take(2)
        model(x)
    second = counter.take(2)
    assert first.sum('dense') == 2 * second.sum('dense') and (first + second).samples == 4
    model(x)
    assert not counter.take(1).layers and torch.is_grad_enabled()
    assert first.folded == {'native_batch_norm': 2 * 48 * 2} and first.coverage == 1


def test_an_error_inside_leaves_nothing_behind():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(4, 4))
    counter = OperationCounter(model)
    with pytest.raises(RuntimeError, match='mat1 and mat2'), counter:
        model(torch.ones(1, 3))
    assert list(counter.take(1).layers) == ['0'] and not counter._tracker.stack
    assert not torch.nn.modules.module._global_forward_hooks


def test_a_compiled_model_is_seen():
    model = nn.Sequential(nn.Linear(3, 4))
    model.compile()
    assert count(model, torch.ones(2, 3)).sum('dense') == 24


def test_what_is_not_counted_is_listed():
    account = count(Function(lambda _, x: torch.fft.fft(x * x).real.var()), torch.randn(8))
    assert account.uncounted == {'mul': 8, 'var': 8, '_fft_r2c': 8} and account.unknown == {'_fft_r2c'}
    account = count(Function(lambda m, x: torch.cdist(m.fc(x) * 2, x), fc=nn.Linear(4, 4, bias=False)),
                    torch.randn(5, 4))
    assert account.unknown == {'_cdist_forward'} and account.uncounted == {'mul': 20, '_cdist_forward': 25}
    assert account.coverage == pytest.approx(80 / 125)


def test_without_values_dense_operations_are_counted():
    with torch.device('meta'):
        account = count(nn.Sequential(nn.Conv2d(3, 4, 3), LIF(), nn.Conv2d(4, 5, 1)), torch.empty(2, 3, 5, 5))
    assert account.sum('dense') == 2 * 9 * (27 * 4 + 20) and not account.values_seen


@pytest.mark.parametrize('values, kind, value', [
    ([0, 0], 'zero', None), ([0, 1], 'binary', 1.0), ([.25, .25], 'binary', .25), ([-1, 0, 1], 'ternary', 1.0),
    ([0, -2], 'ternary', 2.0), ([1, 2, 0], 'integer', None), ([1, .5], 'real', None)])
def test_what_a_tensor_holds(values, kind, value):
    seen = look(torch.tensor(values, dtype=torch.float32))
    assert (seen.kind, seen.value) == (kind, value)


@pytest.mark.parametrize('a, b, kind', [
    ([1, 0], [0, 0], 'binary'), ([1, 0], [1, -1], 'ternary'), ([1, 0], [2, 0], 'integer'), ([1, 0], [.5, 0], 'real'),
    ([1, 2], [.5, 0], 'real'), ([1, 2], [1, 0], 'integer'), ([0, 0], [1.5, 1], 'real')])
def test_what_two_tensors_hold(a, b, kind):
    both = look(torch.tensor(a).float()) + look(torch.tensor(b).float())
    assert both.kind == kind and both.elements == 4
    assert (look(torch.tensor(b).float()) + look(torch.tensor(a).float())).kind == kind


def test_one_sample_that_looks_like_spikes_does_not_make_a_layer_spiking():
    model = nn.Linear(2, 3)
    accounts = [count(model, torch.tensor([x])) for x in ([1., 0.], [.5, 2.])]
    total = accounts[0] + accounts[1]
    assert accounts[0].sum('acs') == 3 and total.sum('acs') == 0 and total.sum('effective_macs') == 9
    assert accounts[0].seen_as(total).sum('effective_macs') == 3


def test_sparsity_of_connections():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1., 0.], [0., 0.]]))
    account = count(model, torch.randn(3, 2))
    assert account.connection_sparsity == 3 / 8 and account.layers['0'].effective == 3


def test_weights_that_moved_are_still_the_layers():
    """As when averaged weights take the place of a model's for a validation, after counting has begun."""
    model = nn.Linear(3, 4, bias=False)
    with OperationCounter(model) as counter:
        model(torch.ones(2, 3))
        model.weight.data = torch.zeros(4, 3)
        model(torch.ones(2, 3))
    (layer,) = counter.take(1).layers.values()
    assert layer.weights == 12 and layer.calls == 2 and layer.effective == 24


def test_inference_tensors():
    with torch.inference_mode():
        model = nn.Linear(3, 4)
        assert count(model, torch.ones(2, 3)).sum('dense') == 24
