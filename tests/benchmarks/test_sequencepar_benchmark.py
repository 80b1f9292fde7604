"""What decoding is timed against is the published decoder; all ways write the same."""
import importlib
from argparse import Namespace

import pytest
import torch
from golden_cases import differences, load_case


@pytest.fixture
def benchmark_module(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    return importlib.import_module


def test_the_peer_is_the_published_decoder(benchmark_module, golden):
    case, state_dict = load_case(golden / 'cases/sequencepar_decoder_n6_d2.pt')
    model = benchmark_module('plain_sequencepar').PlainDecoder(6, depth=2)
    model.load_state_dict({name.removeprefix('decoder.'): value for name, value in state_dict.items()})
    inputs = {name: value.double() for name, value in case['inputs'].items() if name != 'captions'}
    ones = torch.ones(1, 768).double()
    words = torch.cat([ones, -ones, 0 * ones, inputs['word_embeddings']])
    with torch.no_grad():
        logits = model.double()(case['inputs']['captions'], words, inputs['memory'])
    assert differences(case, dict(logits=logits)) == []


def test_all_ways_write_the_same_to_the_end(benchmark_module):
    args = Namespace(attributes=[12], depth=2, batch=4, places=17)
    assert (found := benchmark_module('sequencepar').parity(args)['12'])['same'] and found['length'] == 13
    assert found['distinct_tokens'] > 3


def test_the_table_is_written_from_what_was_measured(benchmark_module):
    times = {way: dict(wall=[s, s + 1], cpu=[s]) for way, s in (('plain', 8.), ('prefix', 4.), ('ours', 1.))}
    table = benchmark_module('sequencepar').table(dict(
        seconds={'26': times}, copy_gb_per_s=7, parity_float64={'26': dict(same=True, distinct_tokens=9)}))
    assert '| 26 | 8.000 / 8.500, 8.000 s | 4.000 / 4.500, 4.000 s | 1.000 / 1.500, 1.000 s |' in table
    assert '| 8.0 / 5.7 / 8.0 | 4.0 / 3.0 / 4.0 |' in table
    assert '26 attributes: the same tokens, 9 different ones. copy_ (read and write): 7.0 GB/s.' in table
