"""What SSPNet is timed against computes the published network; both agree."""
import importlib
from argparse import Namespace

import pytest
import torch
from golden_cases import differences, load_case


@pytest.fixture
def benchmark_module(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    return importlib.import_module


@pytest.mark.parametrize(('name', 'mode'), [('r50_w64', 'eval'), ('r50_w64_train', 'train')])
def test_the_peer_is_the_published_network(benchmark_module, golden, name, mode):
    case, state_dict = load_case(golden / f'cases/sspnet_{name}.pt')
    model = benchmark_module('plain_sspnet').PlainSSPNet(dropout=0.0)
    model.load_state_dict(state_dict)
    model.double().train(mode == 'train')
    with torch.no_grad():
        logits = model(case['inputs']['image'].double())
    assert differences(case, dict(logits=logits), dict(logits=case['outputs']['logits'])) == []


def test_both_compute_the_same(benchmark_module):
    result = benchmark_module('sspnet').parity(Namespace(batch=2, size='64x32'))
    assert result['logits_max_difference'] < 1e-12 < 0.01 < result['logits_std']
    assert max(result['loss_difference'], result['gradient_norm_relative_difference']) < 1e-10


def test_every_case_is_timed_on_both(benchmark_module):
    result = benchmark_module('sspnet').timings(Namespace(batch=1, size='64x32', rounds=2))
    assert list(result['seconds']) == list(benchmark_module('sspnet').CASES)
    counts = {len(times) for both in result['seconds'].values() for of in both.values() for times in of.values()}
    assert counts == {2} and result['copy_gb_per_s']['max'] > 0


def test_the_table_is_written_from_what_was_measured(benchmark_module):
    times = dict(plain=dict(wall=[2., 3.], cpu=[2., 2.]), ours=dict(wall=[1., 2.], cpu=[1., 1.]))
    result = dict(seconds={'head forward': times}, copy_gb_per_s=dict(max=12., median=10.),
                  memory={name: dict(step_mb=mb, gradients_mb=100.) for name, mb in (('plain', 300.), ('ours', 200.))})
    parity = dict(logits_max_difference=1e-15, logits_std=1., loss_difference=0.,
                  gradient_norm_relative_difference=0.)
    table = benchmark_module('sspnet').table(dict(parity_float64=parity, allocators=dict(default=result)))
    assert ('| head forward | default | 2000.0 / 2500.0, 2000.0 / 2000.0 ms | 1000.0 / 1500.0, 1000.0 / 1000.0 ms | '
            '2.00 / 1.67 / 2.00 / 2.00 |') in table
    assert '| peak memory of the training step | default | 300 MB | 200 MB | 1.50 |' in table
    assert 'copy_ (read and write, median): 10.0 GB/s (default)' in table
