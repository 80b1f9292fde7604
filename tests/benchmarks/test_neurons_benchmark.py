"""The neurons that are timed against each other compute the same, and the tables say what was measured."""
import importlib
from argparse import Namespace

import pytest
import torch


@pytest.fixture
def neurons(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    return importlib.import_module('neurons')


def test_all_contenders_compute_the_same(neurons):
    found = neurons._agreement('cpu')
    assert {'mmspike tiled', 'spikingjelly'} <= set(found)
    for name, difference in found.items():
        assert difference['equal_spikes'] == 1, name
        if name != 'snntorch':  # where it is installed: its gradient passes through the reset as well
            assert difference['gradient'] < 1e-12, name


def test_everything_is_measured(neurons, monkeypatch):
    contenders = importlib.import_module('neuron_contenders')
    few = {name: neuron for name, neuron in contenders.contenders('cpu', torch.float32).items()
           if name in ('mmspike tiled', 'spikingjelly')}
    monkeypatch.setattr(contenders, 'contenders', lambda device, dtype: few)
    result = neurons.measure(Namespace(dtype='float32', device='cpu', steps=4, elements=2**18, rounds=2, memory=True))
    ours, peer = result['contenders'].values()
    assert ours['saved'] < 0.01 and peer['saved'] > 4  # bytes per element: an initial membrane is one number
    assert 0 < result['copy']['min'] <= ours['infer']['median'] and ours['train']['min'] <= ours['train']['median']


def test_tables_and_chart_are_made_from_what_was_measured(neurons, tmp_path):
    def times(ns):
        return dict(infer=dict(min=ns, median=2 * ns), train=dict(min=3 * ns, median=5 * ns), saved=ns, peak=2 * ns)
    case = dict(copy=dict(min=0.5, median=0.6), contenders={'mmspike tiled': times(1.), 'spikingjelly': times(4.)})
    report = dict(hardware=dict(device='some processor'), results={'float32, default allocator': {4: case, 16: case}})
    lines = neurons.tables(report).splitlines()
    assert '| `copy_` | 0.50 | 0.50 |' in lines and '| spikingjelly | 4.00 / 12.00 | 4.00 / 12.00 |' in lines
    assert '| float32, default allocator | 16 | 4.00 / 4.00 | 4.00 / 4.00 |' in lines
    assert '| mmspike tiled | 1.0 / 2.0 | 1.0 / 2.0 |' in lines
    neurons.draw(report, tmp_path / 'chart.png')
    assert (tmp_path / 'chart.png').read_bytes().startswith(b'\x89PNG')
