"""Averaged weights, schedules and weight decay of the published SSPNet, by the parts that its configs use."""
import math

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import CosineAnnealingLR, build_optim_wrapper
from torch import nn

from mmspike.engine.schedules import WarmupCosineLR


@pytest.fixture
def traces(golden) -> dict:
    return torch.load(golden / 'units/sspnet_ema_sched.pt', weights_only=True)


def test_mean_of_the_weights(traces):
    """Parameters grow by 0.1 a step; the averages are those of every published step, buffers among them."""
    trace = traces['ema_trace_decay0.9998_add0.1']
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    first = trace[0]
    names = [name for name, _ in model.named_parameters()]
    # After one step: e = (1 - d) * (w + 0.1) + d * w
    start = {name: value - 2e-4 * 0.1 if name in names else value for name, value in first.items()}
    model.load_state_dict(start)
    average = ExponentialMovingAverage(model, momentum=2e-4, update_buffers=True)
    average.update_parameters(model)  # the first call copies
    for want in trace:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1
        average.update_parameters(model)
        got = average.module.state_dict()
        for name in names:
            torch.testing.assert_close(got[name], want[name], rtol=0, atol=5e-7)
        assert got['1.num_batches_tracked'] == want['1.num_batches_tracked'] == 0


def rates(schedule, optim: torch.optim.Optimizer, count: int) -> list[float]:
    out = []
    for _ in range(count):
        out.append(optim.param_groups[0]['lr'])
        optim.step()
        schedule.step()
    return out


def sgd(lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)


def test_cosine_with_warm_up(traces):
    """The published epoch e is our step e: from the second epoch on, ours is what the published one will be next."""
    want = traces['warmup_cosine_30ep_lr1e-2']
    optim = sgd(0.01)
    got = rates(WarmupCosineLR(optim, T_max=30, warmup=3, warmup_ratio=0.01, eta_min_ratio=0.001), optim, 30)
    assert got[:-1] == pytest.approx(want[1:30], rel=1e-9)
    assert got[-1] == pytest.approx(1e-5)  # the published schedule would start again here, after its last epoch


def test_cosine_of_steps(traces):
    want = traces['annealing_cosine_T35']
    optim = sgd(0.01)
    got = rates(CosineAnnealingLR(optim, T_max=35, eta_min=1e-5, by_epoch=False), optim, 36)
    assert got == pytest.approx(want[:36], rel=1e-9)  # training ends five epochs before
    assert want[36] == pytest.approx(1e-5 + (0.01 - 1e-5) * (1 + math.cos(math.pi / 35)) / 2)


def test_weight_decay_apart(traces):
    """The published option that spares vectors the weight decay."""
    wrapper = build_optim_wrapper(nn.Linear(3, 2), dict(
        optimizer=dict(type='Adam', lr=0.001, weight_decay=5e-4),
        paramwise_cfg=dict(bias_decay_mult=0.0, norm_decay_mult=0.0)))
    got = sorted({(group['weight_decay'], group['lr']) for group in wrapper.param_groups})
    assert got == sorted((group['wd'], group['lr']) for group in traces['separate_wd'])
