"""The converters on miniature trees in the original layouts."""
import json
import runpy

import cv2
import numpy as np
import pytest

from mmspike.datasets import VideoDataset
from mmspike.datasets.video_list import read_video_list

PIPELINE = [dict(type='VideoInit'), dict(type='SampleWindows', clip_len=4), dict(type='VideoDecode'),
            dict(type='PackClip')]


def write_video(path, num_frames=9):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*'MJPG'), 25, (32, 32))
    for index in range(num_frames):
        writer.write(np.full((32, 32, 3), index * 20, np.uint8))
    writer.release()


@pytest.fixture
def run(root, capsys, monkeypatch):
    """Call a converter as its command line does; gives what it says."""
    monkeypatch.syspath_prepend(str(root / 'tools/dataset_converters'))

    def call(name, *arguments, status=0, workers=1):
        capsys.readouterr()
        module = runpy.run_path(str(root / f'tools/dataset_converters/{name}.py'))
        try:
            code, message = module['main']([*map(str, arguments), '--workers', str(workers)]), ''
        except SystemExit as stop:
            code, message = 1, str(stop)
        assert code == status, message
        return capsys.readouterr().out + message

    return call


def rows(path):
    return [(row['filename'], row.get('total_frames'), row['label']) for row in read_video_list(str(path))]


@pytest.fixture
def hmdb51(tmp_path):
    """Two classes, names with brackets, a hash and a semicolon as in the original."""
    videos, splits = tmp_path / 'videos', tmp_path / 'annotations'
    names = dict(brush_hair=['a_brush(1).avi', 'b;c.avi', 'c.avi', 'gone.avi'], ride_bike=['#437_How_To.avi', 'e.avi'])
    splits.mkdir()
    for number in (1, 2, 3):
        for cls, files in names.items():
            marks = [1, 2, 0, 1] if number == 1 else [2, 1, 1, 2]
            lines = [f'{name} {mark} \n' for name, mark in zip(files, marks, strict=False)]
            (splits / f'{cls}_test_split{number}.txt').write_text(''.join(lines))
    for cls, files in names.items():
        for index, name in enumerate(files):
            if name != 'gone.avi':
                write_video(videos / cls / name, 6 + index)
    write_video(videos / 'ride_bike/extra.avi')
    return videos, splits


def test_hmdb51(run, tmp_path, hmdb51):
    out = run('hmdb51', *hmdb51)
    assert rows(tmp_path / 'hmdb51_train_split_1_videos.txt') == [
        ('brush_hair/a_brush(1).avi', 6, 0), ('ride_bike/#437_How_To.avi', 6, 1)]
    assert rows(tmp_path / 'hmdb51_val_split_1_videos.txt') == [('brush_hair/b;c.avi', 7, 0), ('ride_bike/e.avi', 7, 1)]
    assert len(rows(tmp_path / 'hmdb51_train_split_3_videos.txt')) == 3
    assert (tmp_path / 'classes.txt').read_text() == 'brush_hair\nride_bike\n'
    assert 'hmdb51_train_split_1_videos.txt: 2 videos of 2 classes' in out
    assert '3 listed, but not on disk (left out):' in out
    assert 'hmdb51_train_split_1_videos.txt: brush_hair/gone.avi' in out
    assert '1 on disk, but not listed:' in out and 'ride_bike/extra.avi' in out
    report = json.loads((tmp_path / 'hmdb51_report.json').read_text())
    assert report['lists']['hmdb51_val_split_2_videos.txt']['per_class'] == {'brush_hair': 1, 'ride_bike': 1}

    data = VideoDataset('hmdb51_train_split_1_videos.txt', dict(video='videos'), str(tmp_path), PIPELINE, window=2)
    assert len(data) == 6 and data.metainfo['classes'] == ('brush_hair', 'ride_bike')
    assert data[5]['inputs'].shape == (1, 4, 32, 32, 3)


def test_unreadable_videos_leave_training_and_stay_in_testing(run, tmp_path, hmdb51):
    videos, splits = hmdb51
    path = videos / 'brush_hair/a_brush(1).avi'
    path.write_bytes(path.read_bytes()[:-2000])
    out = run('hmdb51', videos, splits)
    assert [name for name, _, _ in rows(tmp_path / 'hmdb51_train_split_1_videos.txt')] == ['ride_bike/#437_How_To.avi']
    assert ('brush_hair/a_brush(1).avi', None, 0) in rows(tmp_path / 'hmdb51_val_split_2_videos.txt')
    assert '1 unreadable (left out of training lists, kept in test lists):' in out and 'truncated' in out


def test_hmdb51_bad_input(run, tmp_path, hmdb51):
    videos, splits = hmdb51
    assert 'no such folder; expected <class>/<video>.avi' in run('hmdb51', tmp_path / 'x', splits, status=1)
    assert 'unpack test_train_splits.rar' in run('hmdb51', videos, videos, status=1)
    (splits / 'ride_bike_test_split2.txt').write_text('e.avi 1\nf.avi train\n')
    assert 'ride_bike_test_split2.txt:2: expected "video.avi 0|1|2"' in run('hmdb51', videos, splits, status=1)


@pytest.fixture
def ucf101(tmp_path):
    videos, splits = tmp_path / 'videos', tmp_path / 'annotations'
    splits.mkdir()
    (splits / 'classInd.txt').write_text('1 ApplyEyeMakeup\r\n2 HandstandPushups\r\n')
    for number in (1, 2, 3):
        (splits / f'trainlist0{number}.txt').write_text(
            f'ApplyEyeMakeup/v_ApplyEyeMakeup_g0{number}_c01.avi 1\r\n'
            f'HandstandPushups/v_HandStandPushups_g0{number}_c01.avi 2\r\n')
        (splits / f'testlist0{number}.txt').write_text(f'ApplyEyeMakeup/v_ApplyEyeMakeup_g0{number}_c02.avi\r\n')
        for clip in (1, 2):
            write_video(videos / f'ApplyEyeMakeup/v_ApplyEyeMakeup_g0{number}_c0{clip}.avi')
        write_video(videos / f'HandstandPushups/v_HandstandPushups_g0{number}_c01.avi')  # other capitals than listed
    return videos, splits


def test_ucf101(run, tmp_path, ucf101):
    out = run('ucf101', *ucf101, '--check', 'decode', workers=2)
    for number in (1, 2, 3):
        assert rows(tmp_path / f'ucf101_train_split_{number}_videos.txt') == [
            (f'ApplyEyeMakeup/v_ApplyEyeMakeup_g0{number}_c01.avi', 9, 0),
            (f'HandstandPushups/v_HandstandPushups_g0{number}_c01.avi', 9, 1)]
        assert rows(tmp_path / f'ucf101_val_split_{number}_videos.txt') == [
            (f'ApplyEyeMakeup/v_ApplyEyeMakeup_g0{number}_c02.avi', 9, 0)]
    assert 'not on disk' not in out and 'not listed' not in out and 'unreadable' not in out


def test_ucf101_bad_input(run, ucf101):
    videos, splits = ucf101
    (splits / 'testlist02.txt').write_text('Archery/v_Archery_g01_c01.avi\n')
    assert "testlist02.txt:1: 'Archery' is not in classInd.txt" in run('ucf101', *ucf101, status=1)
    (splits / 'classInd.txt').write_text('0 ApplyEyeMakeup\n')
    assert 'numbered from 1 without gaps' in run('ucf101', *ucf101, status=1)
    (splits / 'classInd.txt').unlink()
    assert 'classInd.txt is missing; unpack UCF101TrainTestSplits' in run('ucf101', *ucf101, status=1)


def test_kinetics_folders(run, tmp_path):
    for split, cls, name in (('train', 'arm wrestling', 'a.mkv'), ('train', 'bowling', 'b.avi'),
                             ('val', 'arm wrestling', 'c.avi'), ('val', 'zumba', 'd.avi')):
        write_video(tmp_path / f'videos_{split}' / cls / name)
    out = run('kinetics', tmp_path)
    assert rows(tmp_path / 'kinetics400_train_list_videos.txt') == [
        ('arm wrestling/a.mkv', None, 0), ('bowling/b.avi', None, 1)]
    assert rows(tmp_path / 'kinetics400_val_list_videos.txt') == [
        ('arm wrestling/c.avi', None, 0), ('zumba/d.avi', None, 2)]
    assert "train_dataloader.dataset.data_prefix.video='videos_train'" in out and 'model.head.num_classes=3' in out
    data = VideoDataset('kinetics400_train_list_videos.txt', dict(video='videos_train'), str(tmp_path), PIPELINE)
    assert data[0]['data_samples'].total_frames == 9
    assert 'Opening' not in out and 'Opening 4 videos' in run('kinetics', tmp_path, '--check')
    assert rows(tmp_path / 'kinetics400_val_list_videos.txt')[1] == ('zumba/d.avi', 9, 2)


def test_kinetics_official_csv(run, tmp_path):
    header = 'label,youtube_id,time_start,time_end,split,is_cc\n'
    (tmp_path / 'train.csv').write_text(f'{header}bowling,aaa,10,20,train,0\n"archery",-b_,3,13,train,0\n')
    (tmp_path / 'validate.csv').write_text(f'{header}bowling,ccc,0,10,validate,0\nbowling,ddd,0,10,validate,0\n')
    for path in ('train/aaa_000010_000020.mp4', 'train/-b_.mp4', 'val/ccc_000000_000010.avi'):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    out = run('kinetics', tmp_path, '--annotations', tmp_path / 'train.csv', tmp_path / 'validate.csv')
    assert rows(tmp_path / 'kinetics400_train_list_videos.txt') == [
        ('aaa_000010_000020.mp4', None, 1), ('-b_.mp4', None, 0)]
    assert rows(tmp_path / 'kinetics400_val_list_videos.txt') == [('ccc_000000_000010.avi', None, 1)]
    assert 'kinetics400_val_list_videos.txt: ddd_000000_000010.mp4' in out
    (tmp_path / 'train.csv').write_text('name,class\n')
    assert 'youtube_id' in run('kinetics', tmp_path, '--annotations', tmp_path / 'train.csv', status=1)


def test_own_folder_in_one_command(run, tmp_path):
    for cls in ('train', 'wave hand'):  # a class may well be called train
        for index in range(5):
            write_video(tmp_path / cls / f'take {index}.avi')
    write_video(tmp_path / '#odd/only one.avi')
    out = run('kinetics', tmp_path, '--val', '0.4', '--check')
    train, val = (rows(tmp_path / f'kinetics400_{split}_list_videos.txt') for split in ('train', 'val'))
    assert [label for _, _, label in train] == [0, 1, 1, 1, 2, 2, 2] and [label for _, _, label in val] == [1, 1, 2, 2]
    assert not {name for name, _, _ in train} & {name for name, _, _ in val}
    data = VideoDataset('kinetics400_train_list_videos.txt', dict(video='.'), str(tmp_path), PIPELINE, window=4)
    assert len(data) == 14 and data.metainfo['classes'] == ('#odd', 'train', 'wave hand')
    assert data[0]['data_samples'].filename.endswith('#odd/only one.avi')
    assert 'python tools/train.py configs/respike/respike_r18_kinetics400.py --cfg-options' in out
    before = train
    run('kinetics', tmp_path, '--val', '0.4', '--check')
    assert rows(tmp_path / 'kinetics400_train_list_videos.txt') == before  # the division is seeded


def test_without_validation_videos_the_command_still_runs(run, tmp_path):
    write_video(tmp_path / 'wave/only.avi')
    out = run('kinetics', tmp_path, '--val', '0')
    assert 'No validation list' in out and "val_dataloader.dataset.ann_file='kinetics400_train_list_videos.txt'" in out
    assert not (tmp_path / 'kinetics400_val_list_videos.txt').exists()


def test_kinetics_bad_input(run, tmp_path):
    assert 'no such folder' in run('kinetics', tmp_path / 'none', status=1)
    assert 'is empty; expected videos_train/<class>' in run('kinetics', tmp_path, status=1)
    write_video(tmp_path / 'a.avi')
    assert 'no videos in class folders' in run('kinetics', tmp_path, status=1)
    assert '--val 2.0: expected a share' in run('kinetics', tmp_path, '--val', '2', status=1)
