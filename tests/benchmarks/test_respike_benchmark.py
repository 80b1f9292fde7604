"""What ReSpike is timed against computes the published network, and so does ReSpike with its weights."""
import importlib
from argparse import Namespace

import pytest
import torch
from golden_cases import differences, load_case


@pytest.fixture
def benchmark_module(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    return importlib.import_module


def test_the_peer_is_the_published_network(benchmark_module, golden):
    case, state_dict = load_case(golden / 'cases/respike_r18_s4_ds_k15.pt')
    model = benchmark_module('plain_respike').PlainReSpike(depth=18, stride=4, num_classes=15)
    model.load_state_dict(state_dict)
    model.double().eval()
    with torch.no_grad():
        logits = model(case['inputs']['clip'].double())
        assert differences(case, dict(logits=logits)) == []
        torch.testing.assert_close(model(case['inputs']['clip'].double()), logits, rtol=0, atol=0)


def test_both_compute_the_same(benchmark_module):
    args = Namespace(depth=18, size=64, frames=4, stride=4, num_classes=5)
    result = benchmark_module('respike').parity(args)
    assert result['logits_max_difference'] < 1e-12 < 0.01 < result['logits_std']
    assert result['loss_difference'] < 1e-12 and result['gradient_norm_relative_difference'] < 1e-10


def test_the_table_is_written_from_what_was_measured(benchmark_module):
    times = dict(plain=dict(wall=[2., 3.], cpu=[2., 2.]), ours=dict(wall=[1., 2.], cpu=[1., 1.]))
    memory = {name: dict(step_mb=mb, gradients_mb=8.) for name, mb in (('plain', 300.), ('ours', 200.))}
    result = dict(seconds=dict(forward=times, train=times), memory=memory, copy_gb_per_s=dict(median=10., max=11.))
    parity = dict(logits_max_difference=1e-15, logits_std=1., loss_difference=0., gradient_norm_relative_difference=0.)
    table = benchmark_module('respike').table(dict(parity_float64=parity, allocators=dict(default=result)))
    assert '| forward | default | 2.000 / 2.500, 2.000 s | 1.000 / 1.500, 1.000 s | 2.00 / 1.67 / 2.00 |' in table
    assert '| peak memory of the training step | default | 300 MB | 200 MB | 1.50 |' in table
    assert 'copy_ (read and write, median): 10.0 GB/s (default)' in table
