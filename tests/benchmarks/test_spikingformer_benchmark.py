"""What Spikingformer is timed against computes the published network; both agree; the counts are what is promised."""
import importlib
from argparse import Namespace

import pytest
import torch
from golden_cases import differences, load_case


@pytest.fixture
def benchmark_module(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    return importlib.import_module


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_the_peer_is_the_published_network(benchmark_module, golden, mode):
    case, state_dict = load_case(golden / 'cases/spikingformer_imagenet_d2_k11.pt')
    build = benchmark_module('plain_spikingformer').PlainSpikingformer
    model = build(96, depth=2, num_heads=6, steps=3, num_classes=11)
    model.load_state_dict(state_dict)
    model.double().train(mode == 'train')
    with torch.no_grad():
        logits = model(case['inputs']['image'].double())
    assert differences(case, dict(logits=logits), case['outputs'][mode]) == []


def test_both_compute_the_same_in_a_tenth_of_the_operations(benchmark_module):
    args = Namespace(width=384, steps=2, batch=2, sizes=['32x32'])
    script = benchmark_module('spikingformer')
    result = script.parity(args)
    assert max(result['logits_max_difference'], result['folded_max_difference']) < 1e-10 < 0.01 < result['logits_std']
    assert result['gradient_norm_relative_difference'] < 1e-10
    counts = script.operations(args)
    assert counts['ours'] <= 600 and counts['plain'] > 3_000


def test_the_table_is_written_from_what_was_measured(benchmark_module):
    times = dict(plain=dict(wall=[2., 3.], cpu=[2., 2.]), ours=dict(wall=[1., 2.], cpu=[1., 1.]))
    memory = {'64x32': {name: dict(step_mb=mb) for name, mb in (('plain', 300.), ('ours', 200.))}}
    result = dict(seconds={'64x32': {'training step': times}}, memory=memory)
    parity = dict(logits_max_difference=1e-15, logits_std=1., folded_max_difference=0.,
                  gradient_norm_relative_difference=0.)
    table = benchmark_module('spikingformer').table(dict(
        parity_float64=parity, allocators=dict(default=result), operations=dict(plain=5000, ours=500)))
    assert '| training step | 64x32 | default | 2.000 / 2.500, 2.000 s | 1.000 / 1.500, 1.000 s | 2.00 /' in table
    assert '| peak memory of the training step | 64x32 | default | 300 MB | 200 MB | 1.50 |' in table
    assert '| operations of a training step | | | 5,000 | 500 | 10.0 |' in table
