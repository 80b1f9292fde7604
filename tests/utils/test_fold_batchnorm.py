"""Folded models against the models they come from, and what must not be folded."""
import pytest
import torch
from golden_cases import load_case
from mmengine import Config
from torch import nn

from mmspike.analysis import SpikeRecorder
from mmspike.apis import fold_batchnorm
from mmspike.convert import respike
from mmspike.registry import MODELS


def randomise(model: nn.Module) -> nn.Module:
    """Norms that do something: statistics and affine parameters away from 0 and 1."""
    torch.manual_seed(0)
    for module in model.modules():
        if getattr(module, 'running_mean', None) is not None:
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            if module.weight is not None:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    return model.double().eval()


def norms(model: nn.Module) -> int:
    return sum(hasattr(module, 'running_mean') for module in model.modules())


@pytest.mark.parametrize('name', ['r18_s4_ds_k15', 'r50_s2_ds_k20'])
def test_respike(golden, root, name):
    case, state_dict = load_case(golden / f'cases/respike_{name}.pt')
    kwargs = case['model_kwargs']
    cfg = Config.fromfile(root / f'configs/_base_/models/respike_r{kwargs["depth"]}.py')
    cfg.merge_from_dict({'model.backbone.stride': kwargs['stride'], 'model.head.num_classes': kwargs['num_classes']})
    model = MODELS.build(cfg.model)
    model.load_state_dict(respike(state_dict))
    model.double()
    folded = fold_batchnorm(model, torch.zeros(1, kwargs['stride'], 3, 32, 32).double())
    assert model.training and not folded.training and norms(model) > 20 and norms(folded) == 0
    clip, results = case['inputs']['clip'].double(), []
    for network in (model.eval(), folded):
        with torch.no_grad(), SpikeRecorder(network) as recorder:
            results.append((network(clip), recorder.rates))
    (a, rates), (b, folded_rates) = results
    torch.testing.assert_close(b, a, rtol=0, atol=1e-9)
    assert rates.keys() == folded_rates.keys() and len(rates) == 16
    assert all(torch.equal(rates[name], folded_rates[name]) for name in rates)


@pytest.mark.parametrize('layers', [
    (nn.Conv2d(6, 4, 3, groups=2), nn.BatchNorm2d(4)),
    (nn.Conv2d(6, 4, 3, padding=1, padding_mode='reflect', bias=False), nn.BatchNorm2d(4, eps=0.1)),
    (nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4, affine=False), nn.ReLU(inplace=True)),
    (nn.Conv1d(6, 4, 3), nn.BatchNorm1d(4)),
    (nn.Conv3d(6, 4, 3), nn.BatchNorm3d(4)),
    (nn.Linear(6, 6), nn.BatchNorm1d(6)),
    (nn.Linear(6, 4, bias=False), nn.BatchNorm1d(4)),
], ids=['groups and bias', 'padding', 'no affine parameters', '1d', '3d', 'linear', 'linear, no bias'])
def test_pair(layers):
    model = randomise(nn.Sequential(*layers))
    x = torch.randn(2, 6, *[8] * (layers[0].weight.ndim - 2), dtype=torch.float64)
    folded = fold_batchnorm(model, x)
    assert norms(folded) == 0 and norms(model) == 1
    torch.testing.assert_close(folded(x), model(x), rtol=0, atol=1e-12)


class Model(nn.Module):
    """Two convolutions and two norms, put together by a function."""

    def __init__(self, run):
        super().__init__()
        self.conv, self.conv2 = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.norm, self.norm2 = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.run = run

    def forward(self, x):
        return self.run(self, x)


@pytest.mark.parametrize('run', [
    lambda m, x: m.conv(m.norm(x)),
    lambda m, x: m.norm(m.conv(x).relu()),
    lambda m, x: m.norm(m.conv(x)) + m.norm2(m.conv2(m.norm(x))).sin() - m.conv2(x),
    lambda m, x: m.norm(y := m.conv(x)) + y,
    lambda m, x: (m.norm(y := m.conv(x)), y.flatten(2)),
    lambda m, x: m.norm(y := m.conv(x)) + m.norm2(y),
    lambda m, x: m.norm(m.conv(x)) + m.norm(m.conv2(x)),
    lambda m, x: m.norm(m.conv(m.conv(x))),
    lambda m, x: m.norm(m.conv(x).transpose(2, 3)),
    lambda m, x: m.norm(m.conv(x).relu_()),
    lambda m, x: m.norm(torch.conv_transpose2d(x, m.conv.weight)),
    lambda m, x: m.norm(nn.functional.batch_norm(m.conv(x), None, None, training=True)),
], ids=['norm first', 'between', 'sometimes', 'skip', 'returned', 'two norms', 'two convolutions', 'twice',
        'other axes', 'in place', 'transposed', 'of the batch'])
def test_what_is_no_pair_stays(run):
    model, x = randomise(Model(run)), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    folded = fold_batchnorm(model, x)
    assert norms(folded) == 2
    torch.testing.assert_close(folded(x), model(x), rtol=0, atol=0)


def test_a_shared_weight_stays():
    model = randomise(Model(lambda m, x: m.norm(m.conv(x)) + m.conv2(x)))
    model.conv2.weight = model.conv.weight
    assert norms(fold_batchnorm(model, torch.randn(2, 3, 8, 8, dtype=torch.float64))) == 2


def test_a_pair_called_twice_is_one_pair():
    model = randomise(Model(lambda m, x: m.norm(m.conv(m.norm(m.conv(x)).relu_()))))
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    folded = fold_batchnorm(model, x)
    assert norms(folded) == 1
    torch.testing.assert_close(folded(x), model(x), rtol=0, atol=1e-10)


@pytest.mark.parametrize('run', [
    lambda m, x: m.norm(x @ m.linear.weight),
    lambda m, x: m.norm(nn.functional.linear(x, m.linear.weight)),
    lambda m, x: m.norm(nn.functional.linear(x, m.linear.weight, m.other)),
    lambda m, x: m.norm(y := m.linear(x)) + y,
], ids=['transposed', 'without its bias', 'another bias', 'skip'])
def test_what_is_no_linear_pair_stays(run):
    model = nn.Module()
    model.linear, model.norm, model.other = nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Parameter(torch.randn(3))
    model.forward = lambda x: run(model, x)
    assert norms(fold_batchnorm(randomise(model), torch.randn(2, 3, dtype=torch.float64))) == 1
