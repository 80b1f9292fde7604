"""The published schedule, to the last digit."""
import json
import math

import pytest
import torch
from mmengine.config import Config

from mmspike.engine.schedules import WarmupCosineLR
from mmspike.registry import PARAM_SCHEDULERS


def optimizer(*rates):
    groups = [dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=rate) for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


def rates(schedule, optim, count):
    found = []
    for _ in range(count):
        found.append([group['lr'] for group in optim.param_groups])
        optim.step()
        schedule.step()
    return found


@pytest.mark.parametrize(('name', 'file'), [('snnpar_default', '60e'), ('vtb_default', '20e')])
def test_every_epoch_of_the_published_table(golden, root, name, file):
    table = json.loads((golden / 'units/snnpar_lr.json').read_text())[name]
    cfg = Config.fromfile(root / f'configs/_base_/schedules/sgd_warmup-cosine_{file}.py')
    assert cfg.optim_wrapper.optimizer.lr == table['base'] and cfg.train_cfg.max_epochs == table['epochs']
    optim = optimizer(table['base'], table['base'] / 2)
    schedule = PARAM_SCHEDULERS.build(dict(cfg.param_scheduler), default_args=dict(optimizer=optim))
    want = table['lr_by_epoch_1based'] + table['past_end']
    found = rates(schedule, optim, len(want))
    assert [pair[0] for pair in found] == pytest.approx(want, rel=1e-14)
    assert [pair[1] for pair in found] == pytest.approx([rate / 2 for rate in want], rel=1e-14)
    assert schedule._ratio(0) * table['base'] == pytest.approx(table['lr_before_training'])


def test_resumed_in_the_middle():
    whole = optimizer(0.1)
    want = rates(WarmupCosineLR(whole, T_max=12), whole, 12)
    first = optimizer(0.1)
    schedule = WarmupCosineLR(first, T_max=12)
    found = rates(schedule, first, 7)
    second = optimizer(0.1)
    resumed = WarmupCosineLR(second, T_max=99)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert found + rates(resumed, second, 5) == want


def test_per_iteration():
    optim = optimizer(1.0)
    schedule = WarmupCosineLR.build_iter_from_epoch(optim, T_max=10, warmup=2, epoch_length=4)
    found = [rate for rate, in rates(schedule, optim, 40)]
    assert found[:3] == pytest.approx([0.01 + step * 0.99 / 8 for step in (1, 2, 3)])
    assert found[7] == pytest.approx(0.002 + 0.499 * (1 + math.cos(math.pi * 8 / 40)))
    assert found[39] == pytest.approx(0.002) and max(found) < 1
    with pytest.raises(ValueError, match='only a schedule per epoch can be converted'):
        WarmupCosineLR.build_iter_from_epoch(optim, T_max=10, by_epoch=False, epoch_length=4)
