"""What the hybrid pose network is timed against computes the published network, and so does ours with its weights."""
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
    case, state_dict = load_case(golden / 'cases/hybrid_cnn_snn.pt')
    kwargs = case['model_kwargs']
    model = benchmark_module('plain_pose').PlainHybridPose(kwargs['tau'], kwargs['output_decay'])
    model.load_state_dict(state_dict)
    model.double().eval()
    frame, bins = (case['inputs'][name].double() for name in ('frames_cnn', 'frames'))
    with torch.no_grad():
        maps = model(frame, bins)
        assert differences(case, dict(y_last=maps[-1], y_step_map_mean=maps.mean((-2, -1)))) == []
        torch.testing.assert_close(model(frame, bins), maps, rtol=0, atol=0)


def test_all_compute_the_same(benchmark_module):
    result = benchmark_module('pose').parity(Namespace(size=32))
    assert result['ours_max_difference'] < 1e-10 < 0.01 < result['maps_std']
    assert result['ours, folded_max_difference'] < 1e-10


def test_the_table_is_written_from_what_was_measured(benchmark_module):
    times = {name: dict(wall=[2 * s, 3 * s], cpu=[s, 2 * s])
             for name, s in (('plain', .2), ('ours', .1), ('ours, folded', .05))}
    parity = {'maps_std': 1., 'ours_max_difference': 1e-15, 'ours, folded_max_difference': 2e-15}
    table = benchmark_module('pose').table(dict(seconds=dict(step=times), parity_float64=parity, copy_gb_per_s=10.))
    assert ('| step | 200 / 300 (400) ms | 100 / 150 (200) ms | 50 / 75 (100) ms | 2.00 / 2.00 | 4.00 / 4.00 |'
            in table)
    assert 'copy_ (read and write): 10.0 GB/s.' in table
