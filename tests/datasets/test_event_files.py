"""Every format gives the same events; slices are those of a plain search; what is wrong with a file is said."""
import h5py
import numpy as np
import pytest
from event_writers import (
    camera_records,
    evt2_words,
    evt3_words,
    ms_index,
    random_events,
    write_aedat2,
    write_columns,
    write_dat,
    write_nmnist,
    write_raw,
)

from mmspike.datasets.dhp19_files import write_events
from mmspike.datasets.events import EVENT, EventFileError, event_streams, identify, make_events, open_events

EVENTS = random_events(500)
SMALL = random_events(500, height=34, width=34)


def npz(path, **changes):
    np.savez(path, **(dict(t=EVENTS['t'], x=EVENTS['x'], y=EVENTS['y'], p=EVENTS['p']) | changes))


def text(path, head='', separator=' ', seconds=False, order='txyp', events=EVENTS):
    rows = [dict(zip('txyp', row, strict=True)) for row in events.tolist()]
    for row in rows:
        row['t'] = f'{row["t"] * 1e-6:.6f}' if seconds else row['t']
    path.write_text(head + ''.join(separator.join(str(row[name]) for name in order) + '\n' for row in rows))


WRITERS = {
    'a.aedat': lambda path: write_aedat2(path, camera_records({2: EVENTS})),
    'a.dat': lambda path: write_dat(path, EVENTS),
    'evt2.raw': lambda path: write_raw(path, evt2_words(EVENTS), '% evt 2.0\n% geometry 346x260\n% end\n'),
    'evt3.raw': lambda path: write_raw(path, evt3_words(EVENTS), '% format EVT3;height=260;width=346\n% end\n'),
    'single.raw': lambda path: write_raw(path, evt3_words(EVENTS, vectors=False)),
    'plain.npy': lambda path: np.save(path, EVENTS),
    'fields.npy': lambda path: np.save(path, EVENTS.astype([('t', 'f8'), ('x', 'i4'), ('y', 'i4'), ('p', 'i1')])),
    'table.npy': lambda path: np.save(path, np.stack([EVENTS[name] for name in 'txyp'], 1)),
    'a.npz': lambda path: npz(path, height=260, width=346),
    'polarity.npz': lambda path: npz(path, p=EVENTS['p'].astype(int) * 2 - 1),
    'a.txt': text,
    'seconds.txt': lambda path: text(path, '346 260\n', seconds=True),
    'names.csv': lambda path: text(path, '# comment\nx,y,polarity,timestamp\n', ',', order='xypt'),
    'semicolons.csv': lambda path: text(path, separator=';'),
    'plain.h5': lambda path: write_columns(path, 'events', EVENTS),
    'top.h5': lambda path: write_columns(path, '', EVENTS),
    'h36m.h5': lambda path: write_columns(path, 'events', EVENTS, scale=1000, cam_view=1,
                                          ms_to_idx=ms_index(EVENTS, 100_000)),
    'dhp19.h5': lambda path: write_columns(path, 'cam3_events', EVENTS, origin=1,
                                           cam3_ms_to_idx=ms_index(EVENTS, 100_000)),
}


@pytest.mark.parametrize('name', WRITERS)
def test_every_format_gives_the_same_events(tmp_path, name):
    WRITERS[name](tmp_path / name)
    file = open_events(tmp_path / name)
    assert len(file) == 500 and (file[:] == EVENTS).all() and file[:].dtype == EVENT
    assert (file.height, file.width) in ((260, 346), (int(EVENTS['y'].max()) + 1, int(EVENTS['x'].max()) + 1))
    assert (file.start, file.stop) == (EVENTS['t'][0], EVENTS['t'][-1] + 1)


@pytest.mark.parametrize('name', WRITERS)
def test_slices_by_time_and_by_count(tmp_path, name):
    WRITERS[name](tmp_path / name)
    file, t = open_events(tmp_path / name), EVENTS['t']
    for start, stop in ((0, 1), (10_000, 50_000), (99_000, 300_000), (-5, 0), (400_000, 500_000), (7, 7), (50, 7),
                        (int(t[100]), int(t[200]))):
        assert (file.between(start, stop) == EVENTS[(t >= start) & (t < stop)]).all(), (start, stop)
        assert len(file.between(start, stop)) == ((t >= start) & (t < stop)).sum()
    for count, before in ((10, 50_000), (1000, 50_000), (3, None), (5, int(t[50])), (0, 50_000), (7, -1)):
        earlier = EVENTS if before is None else EVENTS[t < before]
        assert (file.last(count, before) == earlier[max(0, len(earlier) - count):]).all()
    assert (file[5:9] == EVENTS[5:9]).all() and len(file[9:5]) == 0 and (file[-3:] == EVENTS[-3:]).all()
    assert (np.concatenate(list(file.chunks(64))) == EVENTS).all()


def test_a_search_reads_few_time_stamps(tmp_path):
    write_dat(tmp_path / 'a.dat', random_events(5000))
    file = open_events(tmp_path / 'a.dat')
    assert isinstance(file.records, np.memmap)
    asked, time_at = [], file.time_at
    file.time_at = lambda number: asked.append(number) or time_at(number)
    file.index(50_000)
    assert 0 < len(asked) <= 14


def test_an_array_on_disk_is_mapped(tmp_path):
    np.save(tmp_path / 'a.npy', EVENTS)
    assert isinstance(open_events(tmp_path / 'a.npy').events, np.memmap)


def test_nmnist_and_the_counter_that_starts_again(tmp_path):
    write_nmnist(tmp_path / 'a.bin', SMALL)
    file = open_events(tmp_path / 'a.bin')
    assert (file[:] == SMALL).all() and (file.height, file.width) == (34, 34)
    late = SMALL.copy()
    late['t'] += 2 ** 23 - 50_000
    write_nmnist(tmp_path / 'late.bs2', late)
    assert (open_events(tmp_path / 'late.bs2')[:] == late).all()


def test_nmnist_records_that_mark_an_overflow_are_no_events(tmp_path):
    marked = np.insert(SMALL, 250, make_events([SMALL['t'][250]], [0], [240], [0])[0])
    write_nmnist(tmp_path / 'a.bin', marked)
    expected = SMALL.copy()
    expected['t'][250:] += 2 ** 13
    assert (open_events(tmp_path / 'a.bin')[:] == expected).all()


@pytest.mark.parametrize('name, period, write', [
    ('a.aedat', 2 ** 32, lambda path, events: write_aedat2(path, camera_records({0: events}))),
    ('a.dat', 2 ** 32, write_dat),
    ('evt2.raw', 2 ** 34, lambda path, events: write_raw(path, evt2_words(events), '% evt 2.0\n% end\n')),
    ('evt3.raw', 2 ** 24, lambda path, events: write_raw(path, evt3_words(events))),
])
def test_a_counter_that_starts_again_is_followed(tmp_path, name, period, write):
    late = EVENTS.copy()
    late['t'] += period - 50_000
    write(tmp_path / name, late)
    file = open_events(tmp_path / name)
    assert (file[:] == late).all() and (file[100:400] == late[100:400]).all()
    assert (file.between(period, period + 20_000) == late[(late['t'] >= period) & (late['t'] < period + 20_000)]).all()


def test_low_bits_of_evt3_count_anew_when_the_high_ones_change(tmp_path):
    words = [0x8001, 0x6FFF, 5, 0x2007, 0x8002, 0x2008, 0x8002, 0x6003, 0x2009]
    write_raw(tmp_path / 'a.raw', np.array([0x2001, *words], '<u2'))
    events = open_events(tmp_path / 'a.raw')[:]
    assert events['t'].tolist() == [0x1FFF, 0x2000, 0x2003] and events['x'].tolist() == [7, 8, 9]
    assert set(events['y']) == {5}


def test_a_vector_of_evt3_moves_on(tmp_path):
    words = [0x8000, 0x6005, 3, 0x3000 | 1 << 11 | 20, 0x4000 | 0b100000000001, 0x5000 | 0b10000010, 0x4001]
    write_raw(tmp_path / 'a.raw', np.array(words, '<u2'))
    events = open_events(tmp_path / 'a.raw')[:]
    assert events['x'].tolist() == [20, 31, 33, 39, 40] and set(events['p']) == {1} and set(events['y']) == {3}


def test_cameras_of_one_recording(tmp_path):
    cameras = {0: random_events(50, seed=1), 3: random_events(80, seed=2)}
    write_aedat2(tmp_path / 'a.aedat', [*camera_records(cameras), (1 << 31 | 5, 99_999)])  # and a part of a picture
    for camera, events in cameras.items():
        write_columns(tmp_path / 'a.h5', f'cam{camera}_events', events, origin=1)
    for name in ('a.aedat', 'a.h5'):
        assert event_streams(tmp_path / name) == ['cam0', 'cam3']
        for camera, events in cameras.items():
            file = open_events(tmp_path / name, f'cam{camera}')
            assert (file[:] == events).all() and (file.height, file.width) == (260, 346)
    for name in ('a.aedat', 'a.h5'):
        with pytest.raises(EventFileError, match='it holds 2 streams, say which: stream= one of cam0, cam3'):
            open_events(tmp_path / name)
        with pytest.raises(EventFileError, match="it has no stream 'cam1', it has cam0, cam3"):
            open_events(tmp_path / name, 'cam1')


def test_attributes_say_how_columns_are_meant(tmp_path):
    write_columns(tmp_path / 'a.h5', 'events', EVENTS, origin=1, scale=1000)
    with h5py.File(tmp_path / 'a.h5', 'a') as file:
        file['events'].attrs.update(origin=1, time_unit='ns', height=300, width=400)
    file = open_events(tmp_path / 'a.h5')
    assert (file[:] == EVENTS).all() and (file.height, file.width) == (300, 400)
    with h5py.File(tmp_path / 's.h5', 'w') as target:
        for name in 'txyp':
            target[f'events/{name}'] = EVENTS[name] * (1e-6 if name == 't' else 1)
        target.attrs['time_unit'] = 's'
    assert (open_events(tmp_path / 's.h5')[:] == EVENTS).all()


def test_what_a_converter_has_checked_is_not_read_again(tmp_path):
    wrong = EVENTS[::-1]
    write_columns(tmp_path / 'a.h5', 'cam0_events', wrong, origin=1)
    with h5py.File(tmp_path / 'a.h5', 'a') as file:
        file['cam0_events'].attrs['ordered'] = True
    open_events(tmp_path / 'a.h5')
    open_events(tmp_path / 'a.h5', size=(260, 346))  # the size that it has been checked against
    with pytest.raises(EventFileError, match='time goes back'):
        open_events(tmp_path / 'a.h5', size=(260, 345))
    write_columns(tmp_path / 'b.h5', 'cam0_events', wrong, origin=1)
    assert len(open_events(tmp_path / 'b.h5', check=False)) == 500
    with pytest.raises(EventFileError, match='time goes back'):
        open_events(tmp_path / 'b.h5')


def test_time_that_goes_back_is_named_or_sorted(tmp_path):
    swapped = EVENTS.copy()
    swapped[[100, 300]] = EVENTS[[300, 100]]
    back, before = int(EVENTS['t'][101]), int(EVENTS['t'][300])
    for name in ('a.npy', 'a.dat'):
        np.save(tmp_path / name, swapped) if name == 'a.npy' else write_dat(tmp_path / name, swapped)
        message = (f'{name}: time goes back at event 101, from {before} us to {back} us; expected events in order of '
                   'time. Open it with sort=True')
        with pytest.raises(EventFileError, match=message):
            open_events(tmp_path / name)
        ordered = open_events(tmp_path / name, sort=True)[:]
        assert (ordered['t'] == EVENTS['t']).all() and sorted(ordered.tolist()) == sorted(EVENTS.tolist())


def test_time_that_goes_back_between_two_chunks_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr('mmspike.datasets.events.event_file.EventFile.chunks.__defaults__', (100,), raising=False)
    halves = np.concatenate([EVENTS[300:400], EVENTS[:100]])
    np.save(tmp_path / 'a.npy', halves)
    with pytest.raises(EventFileError, match='time goes back at event 100'):
        open_events(tmp_path / 'a.npy')


def test_events_outside_of_the_sensor_are_named_or_dropped(tmp_path):
    outside = EVENTS.copy()
    outside['x'][20] = 400
    write_dat(tmp_path / 'a.dat', outside)
    with pytest.raises(EventFileError, match=f'event 20 lies at column 400, row {outside["y"][20]}, outside of the '
                       '346x260 sensor; give its size as size=.height, width., or leave such events out with '
                       'drop_outside=True'):
        open_events(tmp_path / 'a.dat')
    assert (open_events(tmp_path / 'a.dat', drop_outside=True)[:] == np.delete(EVENTS, 20)).all()
    assert open_events(tmp_path / 'a.dat', size=(260, 401)).width == 401
    write_columns(tmp_path / 'a.h5', 'cam0_events', EVENTS, origin=0)  # a file from 0 read as one from 1
    with pytest.raises(EventFileError, match='column 65535|row 65535'):
        open_events(tmp_path / 'a.h5')


@pytest.mark.parametrize('name, write, cut', [
    ('a.aedat', lambda path: write_aedat2(path, camera_records({0: EVENTS})), 3),
    ('a.dat', lambda path: write_dat(path, EVENTS), 3),
    ('a.raw', lambda path: write_raw(path, evt2_words(EVENTS), '% evt 2.0\n% end\n'), 3),
    ('b.raw', lambda path: write_raw(path, evt3_words(EVENTS)), 1),
    ('a.bin', lambda path: write_nmnist(path, SMALL), 2),
    ('a.npy', lambda path: np.save(path, EVENTS), 100),
    ('a.npz', npz, 300),
    ('a.h5', lambda path: write_columns(path, 'events', EVENTS), 900),
])
def test_a_truncated_file_is_called_that(tmp_path, name, write, cut):
    write(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-cut])
    with pytest.raises(EventFileError, match=rf'{name}: .*cut off'):
        open_events(tmp_path / name)


@pytest.mark.parametrize('name, content, message', [
    ('a.h5', b'no such thing', "its name says HDF5, but it does not begin like one"),
    ('a.xyz', b'no such thing', "neither its content nor its suffix '.xyz' is that of a known format"),
    ('a.bin', b'', 'it is empty'),
    ('a.dat', b'% Version 1\n\x00\x08', 'its header names version 1, expected version 2'),
    ('a.dat', b'% Date today\n\x00\x08', 'its header names no version, expected version 2'),
    ('a.dat', b'% Version 2\n', 'cut off after its header'),
    ('a.dat', b'% Version 2\n\x0e\x08', 'records of type 14 with 8 bytes, expected events'),
    ('a.raw', b'% evt 4.0\n% end\nabcd', 'its header names EVT4, expected EVT2 or EVT3'),
    ('a.raw', b'% evt 3.0\n% end\n\x00\x00', r'none of its 1 words is a time stamp \(TIME_HIGH\)'),
    ('a.raw', b'% evt 2.0\n% end\n\x00\x00\x00\x00', r'none of its 1 words is a time stamp \(TIME_HIGH\)'),
    ('a.raw', b'% evt 2.0 and then nothing', 'its header does not end'),
    ('a.aedat', b'#!AER-DAT3.1\r\n', "its name says AEDAT2, but it does not begin like one"),
    ('a.aedat', b'#!AER-DAT2.0\r\n', 'none of its 0 records is an event'),
    ('a.txt', b'# nothing\n', 'there are no events in its 1 lines'),
    ('a.txt', b'1 2 3 1\n2 3 4\n', 'expected 4 numbers in each line'),
    ('a.csv', b't,x,y,z\n1,2,3,4\n', 'its columns are called t, x, y, z, and none p; expected t, x, y and p'),
    ('a.txt', b'1 -2 3 1\n', 'x runs from -2.0 to -2.0, expected pixels from 0'),
])
def test_what_is_no_event_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EventFileError, match=message) as caught:
        open_events(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_files_of_numpy_with_another_content_are_named(tmp_path):
    cases = dict(shape=(np.zeros((5, 3)), 'float64 of the shape .5, 3., expected fields t, x, y, p, or numbers'),
                 field=(np.zeros(3, [('t', 'i8'), ('x', 'i2')]), 'it has t, x, but nothing for y and p'),
                 object=(np.array([{}], object), 'no file of numpy without objects'))
    for name, (content, message) in cases.items():
        np.save(tmp_path / f'{name}.npy', content)
        with pytest.raises(EventFileError, match=message):
            open_events(tmp_path / f'{name}.npy')
    npz(tmp_path / 'a.npz', p=np.zeros(3))
    with pytest.raises(EventFileError, match='its columns have different lengths'):
        open_events(tmp_path / 'a.npz')


def test_damage_within_a_compressed_file_is_named(tmp_path):
    write_events(tmp_path / 'a.h5', {0: random_events(5000)}, (260, 346), 100_000, compression='lzf')
    content = (tmp_path / 'a.h5').read_bytes()
    with h5py.File(tmp_path / 'a.h5') as file:
        chunk, group = file['cam0_events/x'].id.get_chunk_info(0), h5py.h5o.get_info(file['cam0_events/y'].id).addr
    for name, start, length in (('chunk', chunk.byte_offset, chunk.size), ('group', group, 64)):
        (tmp_path / f'{name}.h5').write_bytes(content[:start] + b'\xff' * length + content[start + length:])
    file = open_events(tmp_path / 'chunk.h5')  # its converter has checked it
    with pytest.raises(EventFileError, match='chunk.h5: x of the events 0 to 4999 cannot be read .*; it is damaged'):
        file[:]
    with pytest.raises(EventFileError, match='group.h5: its groups cannot be read .*; it is damaged'):
        open_events(tmp_path / 'group.h5')


def test_files_of_hdf5_with_another_content_are_named(tmp_path):
    with h5py.File(tmp_path / 'none.h5', 'w') as file:
        file['picture'] = np.zeros(3)
    with pytest.raises(EventFileError, match='there are no events in it'):
        open_events(tmp_path / 'none.h5')
    with h5py.File(tmp_path / 'column.h5', 'w') as file:
        file['cam0_events/t'] = np.zeros(3)
    with pytest.raises(EventFileError, match='/cam0_events has no column x and y and p, it has .*expected t, x'):
        open_events(tmp_path / 'column.h5')
    write_columns(tmp_path / 'part.h5', 'events', EVENTS)
    with h5py.File(tmp_path / 'part.h5', 'a') as file:
        del file['events/p']
        file['events/p'] = np.zeros(3)
    with pytest.raises(EventFileError, match='the columns have different lengths.*written only in part'):
        open_events(tmp_path / 'part.h5')
    write_columns(tmp_path / 'index.h5', 'events', EVENTS, ms_to_idx=[0, 900])
    with pytest.raises(EventFileError, match='ms_to_idx does not fit 500 events'):
        open_events(tmp_path / 'index.h5')
    write_columns(tmp_path / 'unit.h5', 'events', EVENTS)
    with h5py.File(tmp_path / 'unit.h5', 'a') as file:
        file.attrs['time_unit'] = 'hours'
    with pytest.raises(EventFileError, match="time_unit is 'hours', expected one of ns, us, ms, s"):
        open_events(tmp_path / 'unit.h5')


def test_a_format_can_be_named_and_must_exist(tmp_path):
    write_nmnist(tmp_path / 'recording', SMALL)
    assert (open_events(tmp_path / 'recording', format='N-MNIST')[:] == SMALL).all()
    with pytest.raises(ValueError, match="no format 'NMNIST'; there is HDF5, "):
        open_events(tmp_path / 'recording', format='NMNIST')
    with pytest.raises(FileNotFoundError, match='nowhere.h5 does not exist'):
        open_events(tmp_path / 'nowhere.h5')
    with pytest.raises(FileNotFoundError, match='is a folder, expected one file'):
        open_events(tmp_path)
    with pytest.raises(TypeError, match=r'events are taken by file\[first:last\], got 3'):
        open_events(tmp_path / 'recording', format='N-MNIST')[3]
    with pytest.raises(EventFileError, match="it has no stream 'cam0', it has one without a name"):
        open_events(tmp_path / 'recording', 'cam0', format='N-MNIST')


def test_data_that_begin_like_a_header_are_data(tmp_path):
    first = 259 - (0x23 << 24 >> 22)  # a row whose address begins with the byte of '#'
    events = make_events([5, 9], [3, 4], [first, first], [1, 0])
    write_aedat2(tmp_path / 'a.aedat', camera_records({0: events}))
    assert (tmp_path / 'a.aedat').read_bytes().split(b'\r\n')[2][:1] == b'#'
    assert (open_events(tmp_path / 'a.aedat')[:] == events).all()


def test_an_empty_recording_is_no_error(tmp_path):
    np.save(tmp_path / 'a.npy', EVENTS[:0])
    file = open_events(tmp_path / 'a.npy')
    assert len(file) == file.start == file.stop == 0 and len(file.between(0, 10)) == len(file.last(5)) == 0


@pytest.mark.parametrize('name, format, size, seconds', [
    ('sample_ncars.dat', 'DAT', None, 0.1), ('sample_nmnist.bin', 'N-MNIST', (34, 34), 0.31),
    ('nmnist_small/1.bs2', 'N-MNIST', (34, 34), 0.306)])
def test_real_recordings(samples, name, format, size, seconds):
    path = samples / 'events' / name
    file = open_events(path)
    assert identify(path).name == format and len(file) > 1000 and file.stop * 1e-6 == pytest.approx(seconds, rel=.01)
    assert size is None or (file.height, file.width) == size
    assert 0.3 < file[:]['p'].mean() < 0.7


def test_a_real_recording_of_the_dv_software(samples, tmp_path):
    pytest.importorskip('aedat', reason='needs the package aedat')
    path = samples / 'events/sample.aedat4'
    file = open_events(path)
    assert (file.height, file.width, len(file)) == (240, 320, 111_954) and event_streams(path) == ['']
    assert file.stop - file.start == pytest.approx(589_918)
    (tmp_path / 'cut.aedat4').write_bytes(path.read_bytes()[:400_000])
    with pytest.raises(EventFileError, match='cut.aedat4: .*it is cut off or damaged'):
        open_events(tmp_path / 'cut.aedat4')


def test_without_the_package_aedat4_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'aedat', None)
    (tmp_path / 'a.aedat4').write_bytes(b'#!AER-DAT4.0\r\n')
    with pytest.raises(ImportError, match='needs the package aedat: pip install aedat'):
        open_events(tmp_path / 'a.aedat4')
