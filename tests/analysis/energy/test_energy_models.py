"""Counts to joules: every term by hand; baselines, break-even, conventions and comparisons."""
import json

import pytest
import torch
from torch import nn

from mmspike.analysis.energy import Account, EnergyReport, LayerCount, ModelFacts, energy_models, energy_of, markdown
from mmspike.analysis.energy.account import NeuronCount
from mmspike.analysis.energy.baselines import baselines, bits_for, still_steps
from mmspike.analysis.energy.conventions import CONVENTIONS
from mmspike.analysis.energy.energy_models import FILE
from mmspike.analysis.energy.paper_comparisons import paper_comparisons
from mmspike.analysis.energy.received import Received
from mmspike.visualization import energy_page

FP32, SRAM = energy_models(['45nm-fp32', '45nm-fp32-sram'])


def account(samples=2):
    """A layer with real input, neurons of 4 steps, a layer of spikes, and a norm; figures of all samples together."""
    spikes = torch.tensor([4., 0., 2., 4.], dtype=torch.float64)
    layers = [
        LayerCount('conv', 'convolution', 1000, 900, 10, 50, 2, (Received(200, 180, 'real'),), 40, 0, 160, True, 'lif'),
        LayerCount('fc', 'addmm', 800, 100, 20, 80, 2, (Received(80, 10, 'binary', 1.),), 30, 0, 120)]
    neurons = NeuronCount('lif', True, 80, 10, 40, spikes, torch.full_like(spikes, 20))
    return Account(samples, {layer.name: layer for layer in layers}, {'lif': neurons}, {'native_batch_norm': 50},
                   {'mul': 18}, set(), 80, 10)


def test_energy_models_say_where_they_come_from():
    for entry in json.loads(FILE.read_text()):
        assert entry['source'] and entry['note'] and entry['title'] and entry['bits'] in (8, 16, 32)
    assert (FP32.mac_pj, FP32.add_pj) == (pytest.approx(4.6), 0.9)
    (seven,) = energy_models(['7nm-fp32'])
    assert (seven.mac_pj, seven.add_pj) == (pytest.approx(1.69), 0.38)


def test_arithmetic_by_hand():
    energy = energy_of(account(), FP32)
    assert energy.macs == pytest.approx(1000 * 4.6) and energy.acs == pytest.approx(100 * .9) and energy.memory == 0
    assert energy.neurons == pytest.approx(80 * 5.5) and energy.folded == pytest.approx(50 * 4.6)
    assert energy_of(account(), FP32, 'all').macs == pytest.approx(900 * 4.6)
    dense = energy_of(account(), FP32, 'none')
    assert dense.macs == pytest.approx(1800 * 4.6) and dense.acs == 0
    with pytest.raises(ValueError, match="skip='zeros'; expected one of 'spikes', 'all', 'none'"):
        energy_of(account(), FP32, 'zeros')


def test_memory_by_hand():
    """Weights once per call, real inputs and sums of 4 bytes, spikes of a bit, membranes twice."""
    layers = 4 * (200 + 50 + 40 * 2) + 80 / 8 + 4 * (80 + 30 * 2)
    neurons = 80 * (4 + 1 / 8) + 2 * 80 * 4
    assert energy_of(account(), SRAM).memory == pytest.approx(12.5 * (layers + neurons))


@pytest.mark.parametrize('steps, bits', [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (16, 5)])
def test_bits_that_say_as_much(steps, bits):
    assert bits_for(steps) == bits


def test_baselines_and_break_even():
    found = {b.name: b for b in baselines(account(), FP32, still=4)}
    every, once = (found[f'the same topology as an ANN, {how}'] for how in ('at every time step', 'run once'))
    assert every.energy.macs == pytest.approx(1800 * 4.6 / 2) and once.energy.macs == pytest.approx(1200 * 4.6 / 2)
    assert once.break_even == pytest.approx(4.6 / (4 * .9)) and every.break_even == pytest.approx(4.6 / .9)
    few = found['the same, run once, activations of 3 bits']
    cost = .9 + 3.7 * 3 / 32
    assert few.energy.macs == pytest.approx((1000 * 4.6 + 200 * cost) / 2)
    assert few.break_even == pytest.approx(cost / (4 * .9))
    fixed = 80 * 5.5 + 50 * 4.6 + 1000 * 4.6
    alternative = 1000 * 4.6 + 200 * cost + 50 / 4 * 4.6
    assert few.break_even_total == pytest.approx((alternative - fixed) / (800 * .9))
    assert not any('once' in b.name for b in baselines(account(), FP32, still=None))
    assert baselines(Account(1, {'conv': account().layers['conv']}), FP32, None) == []


def test_at_the_break_even_density_both_need_the_same():
    from dataclasses import replace
    counted = account()
    baseline = baselines(counted, FP32, still=4)[-1]
    spiking = replace(counted.layers['fc'], effective=baseline.break_even_total * 800)
    same = replace(counted, layers=counted.layers | {'fc': spiking})
    assert energy_of(same, FP32).total == pytest.approx(baseline.energy.total * 2)


def test_steps_that_a_model_chose():
    model = nn.Linear(2, 2)
    assert still_steps(model, account()) is None
    model.num_steps = 4
    assert still_steps(model, account()) == 4
    model.num_steps = 3  # the input brought its own
    assert still_steps(model, account()) is None


def test_conventions_by_hand():
    usual, spikingformer, pose = (c.of(account(), 4) for c in CONVENTIONS)
    assert (usual['macs'], usual['acs']) == (500, 800 * .125 / 2)
    assert (spikingformer['macs'], spikingformer['acs']) == (1010 * 4 / 2, 820 * .125 / 2)
    assert (pose['macs'], pose['acs']) == (0, 1000 * .125 / 2)  # of conv, the rate of lif; fc is left out
    assert pose['energy_mj'] == pytest.approx(62.5 * .38e-9)


def test_parts_of_a_batch():
    half = account().part(1)
    assert half.sum('dense') == 900 and half.neurons['lif'].rate == account().neurons['lif'].rate
    assert energy_of(half, SRAM).total == pytest.approx(energy_of(account(), SRAM).total / 2)
    assert account().part(2).sum('acs') == 100


def test_what_a_paper_compares_with():
    class ReSpike(nn.Module):
        stride = 4

        def __init__(self):
            super().__init__()
            self.ann = nn.Identity()

    counted = Account(2, {'backbone.ann.conv': LayerCount('backbone.ann.conv', 'convolution', 10, 10, received=(
        Received(1, 1, 'real'),)), 'backbone.snn': account().layers['fc']}, account().neurons)
    found = paper_comparisons(nn.ModuleDict(dict(backbone=ReSpike())), counted)
    ((name, part),) = found.items()
    assert 'every frame' in name and part.sum('dense') == 40 and part.samples == 2
    assert paper_comparisons(nn.Linear(1, 1), counted) == {}


def test_report_in_all_forms():
    one, other = account(1), account(1)
    report = EnergyReport([one, other], ModelFacts(70, 280, 8, 4), {'config': 'a_config.py'},
                          ['Random weights: none'], {'another <model>': account()})
    figures = json.loads(json.dumps(report.to_dict()))
    assert figures['samples'] == 2 and figures['operations']['acs'] == dict(mean=100, std=0)
    assert figures['coverage']['share'] == pytest.approx(1850 / 1868)
    text = markdown(figures)
    for part in ('| `conv` | real, 90.0 % | 1 k | 900 | 1 k | 0 |', '| `fc` | binary, 12.5 % | 800 | 100 | 0 | 100 |',
                 '> **Random weights: none**', 'the same topology as an ANN, run once', '`mul`', 'Not run: this needs',
                 '0.200 0.000 0.100 0.200', 'a_config.py'):
        assert part in text, part
    page = energy_page(figures, 'a & b')
    assert page.count('<svg') == 4 and 'a &amp; b' in page and '<div class="watermark">Random weights</div>' in page
    assert 'another &lt;model&gt;' in page and '<script' not in page and 'http-equiv' not in page
    assert 'class="watermark"' not in energy_page(dict(figures, warnings=[]), 'x')


def test_a_report_of_nothing_is_refused():
    with pytest.raises(ValueError, match='no sample was counted'):
        EnergyReport([], ModelFacts(0, 0, 0, None))
