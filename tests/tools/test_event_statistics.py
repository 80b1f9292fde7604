"""The figures of an event file, and what is said of files that are wrong."""
import json
import runpy

import h5py
import numpy as np
import pytest

from mmspike.datasets.events import ArrayEvents, make_events, open_events
from mmspike.datasets.events.statistics import describe


@pytest.fixture
def run(root, capsys):
    def call(*arguments, status=0):
        capsys.readouterr()
        module = runpy.run_path(str(root / 'tools/analysis_tools/event_statistics.py'))
        try:
            code, message = module['main']([*map(str, arguments)]), ''
        except SystemExit as stop:
            code, message = 1, str(stop)
        assert code == status, message
        return capsys.readouterr().out + message

    return call


def test_figures_are_those_that_were_made(monkeypatch):
    """200 events in a second, 150 of them at one pixel within 5 ms; pieces of 64 give the same."""
    t = np.sort(np.r_[np.linspace(0, 1_000_000, 50), np.full(150, 503_000)]).astype(int)
    hot = t == 503_000
    events = make_events(t, np.where(hot, 7, np.arange(200) % 20), np.where(hot, 3, 9), np.arange(200) % 4 == 0)
    file = ArrayEvents('a', events, 10, 20)
    found = describe(file, hot_factor=5)
    assert (found.events, found.seconds, found.rate) == (200, 1, 200)
    assert found.positive == 0.25 and found.hottest[0] == (7, 3, 150) and found.hot == 1
    assert found.peak_rate == pytest.approx(15_000, abs=200)
    assert found.active == (1 + len(set(events['x'][~hot]))) / 200 and not found.steps_back and not found.outside
    assert describe(file, hot_factor=1000).hot == 0
    chunks = file.chunks
    monkeypatch.setattr(file, 'chunks', lambda: chunks(64))
    assert describe(file, hot_factor=5) == found


def test_what_is_wrong_is_counted():
    events = make_events([5, 9, 7, 8, 3], [0, 1, 2, 3, 30], [0] * 5, [0] * 5)
    found = describe(ArrayEvents('a', events, 10, 20))
    assert (found.steps_back, found.first_step_back, found.outside) == (2, 2, 1)
    assert (found.start, found.stop) == (3, 9)


def test_no_events_and_one_moment_are_no_error():
    none = describe(ArrayEvents('a', make_events([], [], [], []), 10, 20))
    assert (none.events, none.rate, none.peak_rate, none.active, none.hottest) == (0, 0, 0, 0, [])
    assert describe(ArrayEvents('a', make_events([5, 5], [1, 1], [2, 2], [0, 1]), 10, 20)).rate == 0


def test_every_stream_is_printed_and_written(tmp_path, run):
    with h5py.File(tmp_path / 'two.h5', 'w') as file:
        for camera in (0, 2):
            for name, values in dict(t=[10, 20, 30], x=[1, 2, 300], y=[1, 1, 1], p=[0, 1, 1]).items():
                file[f'cam{camera}_events/{name}'] = values
    np.save(tmp_path / 'wrong.npy', make_events([5, 3], [0, 1], [0, 1], [0, 1]))
    said = run(tmp_path / 'two.h5', tmp_path / 'wrong.npy', '--out', tmp_path / 'out/all.json')
    assert f'{tmp_path}/two.h5 cam0: HDF5, 346x260\n  events     3, 66.7% brighter' in said and 'cam2' in said
    assert 'wrong.npy: NPY, 2x2 (as much as the events need; the file does not say)' in said
    assert 'WRONG      time goes back 1 times, first at event 1; open it with sort=True' in said
    assert 'all 3 streams: 8 events in 0.000042 s, 1 WRONG' in said
    written = json.loads((tmp_path / 'out/all.json').read_text())
    assert len(written) == 3 and written[f'{tmp_path}/two.h5 cam2']['events'] == 3
    assert 'cam0' not in run(tmp_path / 'two.h5', '--stream', 'cam2')
    said = run(tmp_path / 'two.h5', '--stream', 'cam2', '--size', 100, 200)
    assert '1 events outside of the sensor; open it with drop_outside=True' in said


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path, run):
    np.save(tmp_path / 'good.npy', make_events([5], [0], [0], [0]))
    (tmp_path / 'bad.h5').write_bytes(b'no such thing')
    said = run(tmp_path / 'bad.h5', tmp_path / 'none.dat', tmp_path / 'good.npy', status=1)
    assert f'NOT READ: cannot read events of {tmp_path}/bad.h5: ' in said and said.count('bad.h5') == 1
    assert 'none.dat does not exist' in said and 'good.npy: NPY, 1x1' in said and 'all ' not in said
    assert '2 of 3 files cannot be read' in said


def test_real_recordings_have_sensible_figures(samples):
    pytest.importorskip('aedat', reason='needs the package aedat')
    for path in [*sorted((samples / 'events').glob('sample*')),
                 *sorted((samples / 'events/nmnist_small').glob('*.bs2'))[::100]]:
        found = describe(open_events(path))
        assert 1_000 < found.rate < 300_000 and 0.05 < found.seconds < 1 and found.peak_rate < 1e6, path
        assert 0.3 < found.positive < 0.7 and 0.1 < found.active < 0.8 and found.hot < 20, path
        assert not found.steps_back and not found.outside


def test_a_folder_is_the_event_files_in_it(run, tmp_path):
    folder = tmp_path / 'set/below'
    folder.mkdir(parents=True)
    for name in ('a.npy', 'list.txt', 'a_label.h5'):
        (folder / name).write_text('1 2')
    np.save(folder / 'a.npy', make_events(np.arange(9), np.zeros(9), np.zeros(9), np.ones(9)))
    said = run(tmp_path / 'set')
    assert said.count('events     ') == 1 and f'{folder / "a.npy"}: NPY' in said
    (tmp_path / 'empty').mkdir()
    assert 'is a folder, expected one file' in run(tmp_path / 'empty', status=1)
