"""The converters of event data sets on miniature releases, written bit by bit as the cameras do."""
import json
import pickle
import runpy

import h5py
import numpy as np
import pytest

from mmspike.datasets import DHP19Dataset, EventH36MDataset
from mmspike.datasets.dhp19_release import HOT, clean, read_poses, synchronise
from mmspike.datasets.event_h36m_release import JOINTS, read_crops, read_positions
from mmspike.datasets.events import EventFileError, make_events, open_events
from mmspike.datasets.events.aedat2 import Aedat2, read_aedat2

START = 5_000_000


@pytest.fixture(scope='module', autouse=True)
def writers(request):
    """The writers of the tests of datasets."""
    folder = str(request.config.rootpath / 'tests/datasets')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        import event_writers
        yield event_writers


@pytest.fixture
def run(root, capsys, monkeypatch):
    """Call a converter as its command line does; gives what it says."""
    monkeypatch.syspath_prepend(str(root / 'tools/dataset_converters'))

    def call(name, *arguments, status=0):
        capsys.readouterr()
        module = runpy.run_path(str(root / f'tools/dataset_converters/{name}.py'))
        try:
            code, message = module['main']([*map(str, arguments)]), ''
        except SystemExit as stop:
            code, message = 1, str(stop)
        assert code == status, message
        return capsys.readouterr().out + message

    return call


def moving(number, seed, duration=300_000):
    """A dense patch that moves to the right, so that neighbours support each other."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, duration, number))
    return make_events(START + t, 100 + t // 5000 + rng.integers(0, 6, number), 100 + rng.integers(0, 6, number),
                       rng.integers(0, 2, number))


@pytest.fixture
def release(tmp_path, writers):
    """Two recordings of S1 and one of S2, 30 poses each; special events at start and stop."""
    root, rng = tmp_path / 'dhp19', np.random.default_rng(0)
    for stem, mat in (('S1/session1/mov2', 'S1_1_2'), ('S1/session1/mov10', 'S1_1_10'), ('S2/session3/mov1', 'S2_3_1')):
        cameras = {camera: moving(3000, camera) for camera in range(4)}
        special = [START, START + 1, START + 300_000]
        writers.write_aedat2(root / f'DVS_movies/{stem}.aedat', writers.camera_records(cameras, special))
        writers.write_vicon(root / f'Vicon_data/{mat}.mat', rng.uniform(-500, 500, (30, 13, 3)))
    (root / 'P_matrices').mkdir()
    for name in ('P1', 'P2', 'P3', 'P4'):
        np.save(root / f'P_matrices/{name}.npy', np.array([[.1, 0, 0, 170], [0, .1, 0, 130], [0, 0, 0, 1.]]))
    np.save(root / 'P_matrices/camera_positions.npy', np.zeros((4, 3)))
    return root


def test_a_release_becomes_a_data_set(release, run, writers):
    said = run('dhp19', release)
    out = release
    assert '3 of 3 recordings are in' in said
    assert f'hybrid_pose_cnn_dhp19.py --cfg-options train_dataloader.dataset.data_root={out} ' in said
    data = DHP19Dataset(str(out), subjects=[1], cameras=[3], window_ms=100, pipeline=[])
    assert [info['sequence'] for info in (data[0], data[-1])] == ['S1_session1_mov2', 'S1_session1_mov10']
    assert len(data) == 6
    info = data[0]
    events, seen = info['event_file'][:], moving(3000, 3)
    report = json.loads((out / 'dhp19_report.json').read_text())['S1_session1_mov2']
    assert report['per_camera']['3'] == len(events) and report['rule'] == 'special events: first and last'
    counts = report['counts']
    assert counts['kept'] == sum(report['per_camera'].values()) and counts['events'] == 12_000
    assert counts['events'] == sum(value for name, value in counts.items() if name != 'events')
    seen['t'] -= START
    assert np.isin(events, seen).all() and len(events) > 0.9 * len(seen)
    np.testing.assert_allclose(info['keypoints_3d'],
                               read_poses(release / 'Vicon_data/S1_1_2.mat')[:10])
    with h5py.File(out / 'S1_session1_mov2_events.h5') as file:
        assert set(file) == {name for c in range(4) for name in (f'cam{c}_events', f'cam{c}_ms_to_idx')}
        assert file['cam3_events/x'][:].min() >= 1 and len(file['cam3_ms_to_idx']) == 300
        np.testing.assert_array_equal(file['cam3_ms_to_idx'][:], writers.ms_index(events, 300_000))
        assert file['cam3_events/x'][0] == events['x'][0] + 1


def test_what_is_finished_stays_and_other_settings_write_anew(release, run):
    run('dhp19', release, '--subjects', 1)
    first = release / 'S1_session1_mov2_events.h5'
    before = first.stat().st_mtime_ns
    (release / 'S1_session1_mov10_events.h5').unlink()
    said = run('dhp19', release)
    assert '3 of 3 recordings are in' in said and first.stat().st_mtime_ns == before
    assert (release / 'S1_session1_mov10_events.h5').is_file()
    run('dhp19', release, '--own-pixel', '--compression', 'none')
    assert first.stat().st_mtime_ns > before and not list(release.glob('.*'))
    report = json.loads((release / 'dhp19_report.json').read_text())
    assert len(report) == 3 and all('counts' in found for found in report.values())


def test_what_cannot_be_used_is_skipped_and_named(release, run, writers):
    movies = release / 'DVS_movies'
    (release / 'Vicon_data/S1_1_2.mat').unlink()
    content = (movies / 'S1/session1/mov10.aedat').read_bytes()
    (movies / 'S1/session1/mov10.aedat').write_bytes(content[:-3])
    said = run('dhp19', release)
    assert '1 of 3 recordings are in' in said and '2 skipped:' in said
    assert 'S1_session1_mov2: cannot read events of' in said and 'S1_1_2.mat is missing' in said
    assert 'S1_session1_mov10: ' in said and 'it is cut off' in said
    writers.write_aedat2(movies / 'S1/session1/mov10.aedat', [*writers.camera_records(
        {0: moving(100, 0)}, [START + k for k in range(7)])])
    back = moving(100, 0)[::-1]
    writers.write_aedat2(movies / 'S2/session3/mov2.aedat', [
        (writers.aedat2_address(0, x, y, p), t) for t, x, y, p in back.tolist()])
    writers.write_vicon(release / 'Vicon_data/S2_3_2.mat', np.zeros((30, 13, 3)))
    said = run('dhp19', release)
    assert '7 special events, expected at most 5: the recording is corrupt' in said
    assert 'S2_session3_mov2: time goes back at event 1, from' in said
    for movie in movies.rglob('*.aedat'):
        movie.write_bytes(b'')
    said = run('dhp19', release, '--out', release / 'other', status=1)
    assert '0 of 4 recordings' in said and 'Nothing was converted' in said


def test_a_wrong_folder_and_missing_matrices_are_named(release, run, tmp_path):
    assert 'expected the folders DVS_movies, Vicon_data' in run('dhp19', tmp_path / 'nowhere', status=1)
    assert 'has no S<number>/session<number>/mov<number>.aedat of the persons [9]' in run(
        'dhp19', release, '--subjects', 9, status=1)
    (release / 'P_matrices/P2.npy').unlink()
    assert 'Missing: P2.npy (of P_matrices)' in run('dhp19', release, '--subjects', 2)


@pytest.mark.parametrize('special, expected', [
    ([], (100, 900_000)), ([200], (200, 300_200)), ([200, 200], (200, 300_200)), ([200, 201, 201, 202], (200, 300_200)),
    ([800_000], (500_000, 800_000)), ([800_000, 800_000], (500_000, 800_000)), ([200, 201, 800_000], (200, 800_000)),
    ([200, 200, 200, 201, 800_000], (200, 800_000))])
def test_start_and_stop(special, expected):
    assert synchronise(np.array(special), 100, 900_000, 30)[:2] == expected


def test_each_rule_leaves_out_its_events():
    """Events of one moment later than 70 ms after zero; each rule is met by some of them alone."""
    base = moving(2000, 0)
    dense = [make_events(START + 1000 + np.arange(40) * 1000, 200 + np.arange(40) % 2, [50] * 40, [1] * 40)]
    # x' = 795 and y' = 130 of the canvas, from 1: camera 2 at column 102; neighbours take turns
    lamp = make_events(START + 1000 + np.arange(20) * 100, 102 + np.arange(20) % 2, [129] * 20, [0] * 20)
    lonely = make_events([START + 150_000], [10], [200], [1])
    hot = make_events(START + 1000 + np.arange(HOT), [300] * HOT, [30] * HOT, [1] * HOT)
    number = np.arange(HOT - 1)
    warm = make_events(START + 1000 + number, 310 + number % 2, [30] * (HOT - 1), [1] * (HOT - 1))
    parts = [(0, base), (1, dense[0]), (2, lamp), (1, lonely), (0, hot), (3, warm), (7, base[:50]),
             (0, make_events([START - 5, START + 300_000], [5, 5], [5, 5], [0, 0]))]
    events = np.concatenate([part for _, part in parts])
    camera = np.repeat([number for number, _ in parts], [len(part) for _, part in parts]).astype(np.uint8)
    order = np.argsort(events['t'], kind='stable')
    found = clean(Aedat2(events[order], camera[order], np.array([]), 4), START, START + 300_000)
    assert found.counts['outside'] == 4 and found.counts['unknown camera'] == 50
    assert found.counts['before start or after stop'] == 2 and found.counts['hot pixels'] == HOT
    assert found.counts['lamps'] == 19  # the first has no neighbour before it
    assert len(found.events[2]) == 0 and len(found.events[1]) == 39 and len(found.events[3]) == HOT - 2
    assert not (found.events[0]['x'] == 300).any() and found.events[0]['t'].min() >= 0
    assert found.counts['kept'] == sum(map(len, found.events.values()))


def test_the_background_rule_may_count_the_own_pixel():
    same = make_events(START + np.arange(5) * 1000, [50] * 5, [50] * 5, [0] * 5)
    recording = Aedat2(same, np.zeros(5, np.uint8), np.array([]), 0)
    assert len(clean(recording, START, START + 10_000).events[0]) == 0
    assert len(clean(recording, START, START + 10_000, own_pixel=True).events[0]) == 4


def test_limits_of_the_lamps_are_kept():
    columns = np.repeat([780, 781, 809, 810], 2) - 1 - 2 * 346
    t = START + np.arange(8) * 10
    lamp = make_events(t, columns, [119, 120] * 4, [0] * 8)  # two neighbours each
    kept = clean(Aedat2(lamp, np.full(8, 2, np.uint8), np.array([]), 0), START, START + 1000).events[2]
    assert set(kept['x']) == {780 - 693, 810 - 693}


def test_a_recording_whose_counter_starts_again(tmp_path, writers):
    events = moving(500, 0)
    events['t'] += 2 ** 32 - START - 150_000
    writers.write_aedat2(tmp_path / 'a.aedat', writers.camera_records({1: events}, [2 ** 32 - 140_000]))
    found = read_aedat2(str(tmp_path / 'a.aedat'))
    assert (found.events == events).all() and found.special.tolist() == [2 ** 32 - 140_000]


def test_events_outside_of_the_sensor_are_counted(tmp_path, writers):
    records = writers.camera_records({0: moving(10, 0)})
    writers.write_aedat2(tmp_path / 'a.aedat', [(300 << 22 | 5 << 12, START), (5 << 22 | 346 << 12, START), *records])
    found = read_aedat2(str(tmp_path / 'a.aedat'))
    assert found.outside == 2 and len(found.events) == 10


def test_motion_capture_with_another_content_is_named(tmp_path, writers):
    from scipy.io import savemat
    poses = np.random.default_rng(0).random((4, 13, 3))
    writers.write_vicon(tmp_path / 'good.mat', poses)
    np.testing.assert_array_equal(read_poses(tmp_path / 'good.mat'), poses)
    writers.write_vicon(tmp_path / 'one.mat', poses[:1])
    np.testing.assert_array_equal(read_poses(tmp_path / 'one.mat'), poses[:1])
    savemat(tmp_path / 'few.mat', dict(XYZPOS=dict(head=poses[:, 0])))
    with pytest.raises(EventFileError, match='XYZPOS has no field shoulderR, shoulderL, .*; expected one for each'):
        read_poses(tmp_path / 'few.mat')
    writers.write_vicon(tmp_path / 'flat.mat', poses[..., :2])
    with pytest.raises(EventFileError, match=r'its joints have the shapes \[\[4, 2\]\], expected \[N, 3\] for all'):
        read_poses(tmp_path / 'flat.mat')


@pytest.fixture
def human36m(tmp_path, writers):
    """One recording as a simulator's chunks, one with events.h5 but no index; poses of 32 joints, crops."""
    root, rng = tmp_path / 'h36m', np.random.default_rng(0)
    events = writers.random_events(2000, 256, 320, 400_000)
    chunks = root / 'S9/upsample/TakingPhoto_1.55011271/events'
    chunks.mkdir(parents=True)
    for k in range(4):
        part = events[k * 500:(k + 1) * 500]
        np.savez(chunks / f'{k:010}.npz', t=part['t'] * 1000, x=part['x'], y=part['y'], p=part['p'].astype(int) * 2 - 1)
    ready = root / 'S9/upsample/Walking.54138969'
    ready.mkdir()
    writers.write_columns(ready / 'events.h5', 'events', events, scale=1000)
    positions = {'S9': {action: [rng.uniform(300, 700, (20, 32, 2)) for _ in range(4)] for action in
                        ('Photo 1', 'Walking', 'Eating')}}
    np.savez(tmp_path / 'poses.npz', positions_2d=np.array(positions, object), metadata=np.array({}, object))
    (tmp_path / 'crops.txt').write_text(
        'S9 : Photo 1 view 1   -->   x_start 65, y_start 15 \nS9 : Walking  view 0   -->   x_start 10, y_start 500 \n')
    return root, events, positions


def test_chunks_index_and_poses_of_human36m(human36m, run, writers, monkeypatch):
    root, events, positions = human36m
    said = run('event_human36m', root, '--poses', root.parent / 'poses.npz', '--crops', root.parent / 'crops.txt')
    assert '2 of 2 recordings are ready, 4,000 events in 0.8 s' in said
    assert '10 poses without a crop, left out:' in said and 'S9 Eating view 0' in said
    with h5py.File(root / 'labels.h5') as file:  # crops that leave the video are moved back, to 40 and to 234
        for action, camera, corner in (('Photo 1', 1, (40, 15)), ('Walking', 0, (10, 234))):
            expected = (positions['S9'][action][camera][:, list(JOINTS)] - corner) / 3
            np.testing.assert_allclose(file[f'S9/{action}/cam_view_{camera}'], expected.swapaxes(1, 2))
            assert file[f'S9/{action}/timestamps_ms'][:].tolist() == list(range(0, 400, 20))
    for folder, camera in (('TakingPhoto_1.55011271', 1), ('Walking.54138969', 0)):
        path = root / 'S9/upsample' / folder / 'events.h5'
        assert (open_events(path)[:] == events).all()
        with h5py.File(path) as file:
            assert file['cam_view'][()] == camera
            index = file['ms_to_idx'][:]
            np.testing.assert_array_equal(index, writers.ms_index(events, len(index) * 1000))
            assert len(index) == events['t'][-1] // 1000 + 1
    before = path.stat().st_mtime_ns
    run('event_human36m', root)
    assert path.stat().st_mtime_ns == before
    monkeypatch.setattr('mmspike.datasets.events.opening.check_events', None)  # once is enough: a training opens often
    data = EventH36MDataset(str(root), subjects=[9], cameras=[0, 1], pipeline=[])
    assert {info['sequence'] for info in map(data.get_data_info, range(len(data)))} == {'S9/Photo 1', 'S9/Walking'}
    info = next(data[k] for k in range(len(data)) if data[k]['sequence'] == 'S9/Walking')
    expected = (positions['S9']['Walking'][0][:, list(JOINTS)] - (10, 234)) / 3
    assert info['start'] == 0 and info['bin_us'] == 10_000
    np.testing.assert_allclose(info['keypoints'][1], expected[1])  # 20 ms, the end of the second bin


def test_damaged_recordings_of_human36m_are_skipped_and_named(human36m, run):
    root, *_ = human36m
    for name in ('Eating.54138969', 'Eating.1'):
        (root / 'S9/upsample' / name).mkdir()
    swapped = root / 'S9/upsample/TakingPhoto_1.55011271/events'
    (swapped / f'{0:010}.npz').rename(swapped / f'{9:010}.npz')
    said = run('event_human36m', root, '--poses', root.parent / 'poses.npz', '--crops', root.parent / 'crops.txt')
    assert '1 of 4 recordings are ready' in said and '3 skipped:' in said
    assert 'Eating.54138969: it has neither events.h5 nor events/*.npz' in said
    assert 'Eating.1: the name does not end with a camera, 54138969, ' in said
    assert 'are the names in the order of time?' in said
    (root / 'labels.h5').unlink()
    assert 'labels.h5 is missing; give --poses and --crops' in run('event_human36m', root, status=1)
    assert 'has no S*/upsample/' in run('event_human36m', root.parent, status=1)


def test_poses_and_crops_with_another_content_are_named(tmp_path):
    (tmp_path / 'crops.txt').write_text('S1 : Posing view 1 at 3, 4\n')
    with pytest.raises(EventFileError, match="line 1 is 'S1 : Posing view 1 at 3, 4', expected for instance"):
        read_crops(tmp_path / 'crops.txt')
    np.savez(tmp_path / 'joints.npz', positions_2d=np.array({'S1': {'Posing': [np.zeros((3, 17, 2))]}}, object))
    with pytest.raises(EventFileError, match=r'S1 Posing has \[17\] joints, expected 13 or the 32'):
        read_positions(tmp_path / 'joints.npz')
    np.savez(tmp_path / 'other.npz', poses=np.zeros(3))
    with pytest.raises(EventFileError, match='expected a file of numpy with positions_2d'):
        read_positions(tmp_path / 'other.npz')


class Harmful:
    def __reduce__(self):
        return print, ('harm',)


def test_poses_run_no_code(tmp_path, capsys):
    np.savez(tmp_path / 'harm.npz', positions_2d=np.array({'S1': Harmful()}, object))
    with pytest.raises(EventFileError, match='builtins.print, which is refused'):
        read_positions(tmp_path / 'harm.npz')
    assert capsys.readouterr().out == '' and pickle.dumps(Harmful())
