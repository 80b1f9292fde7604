"""What event representations are timed against gives the same numbers; the table holds what was measured."""
import json

import numpy as np
import pytest


@pytest.fixture
def script(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    import events
    return events


def test_both_sides_give_the_same(script):
    events = script.drawn_events(5_000, 20, 30)
    assert (np.diff(events['t']) >= 0).all() and events['x'].max() < 30 and events['y'].max() < 20
    for name, (number, ours, plain) in script.cases(events, 4, 20, 30).items():
        np.testing.assert_allclose(ours(), plain(), atol=1e-5, err_msg=name)
        assert plain().any() and number in (5_000, 500)


def test_a_run_prints_and_writes_what_it_measured(script, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(script, 'COPY', 2 ** 10)
    monkeypatch.setattr(script.os, 'sched_setaffinity', lambda *_: None, raising=False)
    monkeypatch.setattr(script.torch, 'set_num_threads', lambda _: None)
    np.save(tmp_path / 'a.npy', script.drawn_events(500, 20, 30))
    out = str(tmp_path / 'out.json')
    script.main(['--file', str(tmp_path / 'a.npy'), '--bins', '3', '--rounds', '2', '--out', out])
    said, written = capsys.readouterr().out, json.loads((tmp_path / 'out.json').read_text())
    assert said.startswith('500 events, 30x20, 3 bins, 2 turns') and 'GB/s (median)' in said
    assert set(written['results']) == {'counts', 'histogram', 'voxels', 'surface', 'background'}
    assert all(len(result[side]) == 2 for result in written['results'].values() for side in ('ours', 'plain'))


def test_the_table_shows_nanoseconds_and_ratios(script):
    result = dict(events=1_000, apart=0., ours=[(1, 2e-6), (1, 4e-6)], plain=[(1, 20e-6), (1, 20e-6)])
    shown = script.table(dict(results=dict(counts=result), copy_gb_per_s=4.))
    assert '| counts | 1,000 | 20.0 / 20.0 | 2.0 / 3.0 | 10.0 / 6.7 | 0.0e+00 |' in shown and '4.0 GB/s' in shown
