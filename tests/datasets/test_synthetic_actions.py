"""The rendered actions: reproducible, written once, and not to be told from one frame."""
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import stats

from mmspike.datasets import open_video
from mmspike.datasets import synthetic_actions as actions
from mmspike.datasets.synthetic_actions import CLASSES, SyntheticActions, make_clip, sample_phases, write_video
from mmspike.datasets.video_backends import BACKENDS
from mmspike.datasets.write_once import STAMP, write_once


def decode(path) -> np.ndarray:
    video, frames = cv2.VideoCapture(str(path)), []
    while (grabbed := video.read())[0]:
        frames.append(grabbed[1][..., ::-1])
    return np.stack(frames)


# What a clip shows

def test_a_clip_depends_on_its_split_and_index_alone():
    first, label = make_clip('train', 11)
    assert first.shape == (8, 64, 64, 3) and first.dtype == np.uint8 and label == 3
    np.testing.assert_array_equal(first, make_clip('train', 11)[0])
    assert (first != make_clip('test', 11)[0]).mean() > 0.5
    assert (first != make_clip('train', 19)[0]).mean() > 0.5


@pytest.mark.parametrize('label', range(8))
def test_only_the_property_of_the_class_changes(label):
    phases = sample_phases(label, 8, np.random.default_rng(label))
    steps = (np.diff(phases, axis=0) + 0.5) % 1 - 0.5
    changing, sense = actions.ACTIONS[CLASSES[label]]
    assert (steps[:, changing] * sense > 0.02).all()
    assert (np.delete(steps, changing, axis=1) == 0).all()


def test_every_property_of_every_frame_has_the_same_distribution_in_every_class():
    rng = np.random.default_rng(0)
    for label in range(len(CLASSES)):
        phases = np.stack([sample_phases(label, 8, rng) for _ in range(500)])  # [clips, T, 4]
        for frame in (0, 3, 7):
            for prop in range(4):
                assert stats.kstest(phases[:, frame, prop], 'uniform').pvalue > 1e-4, (CLASSES[label], frame, prop)


@pytest.fixture(scope='module')
def clips():
    made = [make_clip('train', index) for index in range(960)]
    return np.stack([frames for frames, _ in made]), np.array([label for _, label in made])


def appearance(frames: np.ndarray) -> np.ndarray:
    """What the polygon looks like: ``[..., H, W, 3] -> [..., 4]`` x, y (angles), log area, log brightness."""
    grey = frames.max(-1).astype(np.float32)
    inside = grey > 62  # the background stays below 0.22, the polygon mostly above 0.25
    area = inside.sum((-2, -1)) + 1
    circle = np.exp(2j * np.pi * np.arange(grey.shape[-1]) / grey.shape[-1])
    x, y = np.angle((inside * circle).sum((-2, -1))), np.angle((inside * circle[:, None]).sum((-2, -1)))
    return np.stack([x, y, np.log(area), np.log((grey * inside).sum((-2, -1)) / area + 1)], -1)


def test_statistics_of_single_frames_do_not_differ_between_classes(clips):
    frames, labels = clips
    for t in (0, 7):
        looks = appearance(frames[:, t])
        for prop in range(4):
            groups = [looks[labels == label, prop] for label in range(8)]
            assert stats.kruskal(*groups).pvalue > 1e-3, (t, prop)


def ridge_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """Held-out accuracy of a linear classifier fitted to the first half."""
    half = len(features) // 2
    x = (features - features[:half].mean(0)) / (features[:half].std(0) + 1e-6)
    x = np.hstack([x, np.ones((len(x), 1))])
    seen, wanted = x[:half], np.eye(8)[labels[:half]]
    fitted = np.linalg.solve(seen.T @ seen + 0.3 * half * np.eye(x.shape[1]), seen.T @ wanted)
    return ((x[half:] @ fitted).argmax(1) == labels[half:]).mean()


def test_a_classifier_of_single_frames_stays_at_chance_and_one_of_changes_does_not(clips):
    frames, labels = clips
    order = np.random.default_rng(0).permutation(len(labels))
    frames, labels = frames[order], labels[order]
    for t in (0, 4):  # the key frames of T=8, S=4
        small = frames[:, t, ::2, ::2].reshape(-1, 8, 4, 8, 4, 3).mean((2, 4, 5)).reshape(len(frames), -1)
        looks = appearance(frames[:, t])
        looks = np.hstack([np.sin(looks[:, :2]), np.cos(looks[:, :2]), looks[:, 2:], looks[:, 2:] ** 2])
        assert ridge_accuracy(np.hstack([small, looks]), labels) < 0.2  # chance is 0.125
    change = np.diff(appearance(frames), axis=1)
    change[..., :2] = (change[..., :2] + np.pi) % (2 * np.pi) - np.pi
    assert ridge_accuracy(np.median(change, axis=1), labels) > 0.95  # the median ignores the jumps of the sawtooths


@pytest.mark.parametrize('backend', BACKENDS)
def test_the_written_file_is_lossless_for_every_reader(tmp_path, backend):
    frames, _ = make_clip('train', 0)
    path = tmp_path / 'clip.avi'
    write_video(path, frames)
    try:
        video = open_video(str(path), backend)
    except ImportError as error:
        pytest.skip(str(error))
    np.testing.assert_array_equal(video.read(range(8)), frames)


def test_a_missing_encoder_is_named(tmp_path):
    with pytest.raises(RuntimeError, match='HuffYUV.*opencv-python wheels'):
        write_video(tmp_path / 'no_such_folder' / 'clip.avi', make_clip('train', 0)[0])


# The set on disk

def build(root, split='train', num_clips=16, **kwargs) -> SyntheticActions:
    return SyntheticActions(data_root=str(root), split=split, num_clips=num_clips, num_frames=4, size=32, pipeline=[],
                            **kwargs)


def files(root) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in Path(root).rglob('*.avi')}


def test_first_use_writes_the_kinetics_layout_and_the_second_reads_it(tmp_path, capsys):
    dataset = build(tmp_path)
    assert f'Writing 16 synthetic clips to {tmp_path}/train' in capsys.readouterr().out
    assert len(dataset) == 16 and dataset.metainfo['classes'] == CLASSES
    assert sorted(p.name for p in (tmp_path / 'train').iterdir() if p.is_dir()) == sorted(CLASSES)
    assert (tmp_path / 'classes.txt').read_text().split() == list(CLASSES)
    lines = (tmp_path / 'train_list.txt').read_text().splitlines()
    assert lines[9] == 'move_right/clip_00009.avi 1'
    assert np.bincount([int(line.split()[1]) for line in lines]).tolist() == [2] * 8

    info = dataset.get_data_info(9)
    assert info['label'] == 1
    np.testing.assert_array_equal(decode(info['filename']), make_clip('train', 9, 4, 32)[0])

    before = files(tmp_path)
    build(tmp_path)
    assert 'Writing' not in capsys.readouterr().out
    build(tmp_path, split='test', num_clips=8)
    assert before.items() <= files(tmp_path).items()
    assert len(files(tmp_path)) == 24
    assert not [p for p in tmp_path.iterdir() if p.name.startswith('.') and p.is_dir()]


def test_a_lazy_dataset_writes_nothing_until_it_is_read(tmp_path):
    dataset = build(tmp_path, lazy_init=True)
    assert not list(tmp_path.iterdir())
    dataset.full_init()
    assert len(files(tmp_path)) == 16


def test_other_parameters_write_anew(tmp_path):
    build(tmp_path)
    assert len(build(tmp_path, num_clips=8)) == 8
    assert len(files(tmp_path)) == 8
    assert json.loads((tmp_path / 'train' / STAMP).read_text())['num_clips'] == 8
    assert len((tmp_path / 'train_list.txt').read_text().splitlines()) == 8


def test_an_interrupted_write_is_redone(tmp_path, monkeypatch):
    written = []

    def interrupted(path, frames):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(path)
        write_video(path, frames)

    monkeypatch.setattr(actions, 'write_video', interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path)
    assert len(written) == 5 and not (tmp_path / 'train').exists()
    monkeypatch.undo()
    assert len(build(tmp_path)) == 16
    assert len(files(tmp_path)) == 16  # the five of the first attempt are gone


def test_a_deleted_list_is_written_again_without_the_clips(tmp_path):
    build(tmp_path)
    before = files(tmp_path)
    (tmp_path / 'train_list.txt').unlink()
    assert len(build(tmp_path)) == 16
    assert files(tmp_path) == before


def test_foreign_files_are_not_overwritten(tmp_path):
    (tmp_path / 'train').mkdir()
    (tmp_path / 'train' / 'thesis.tex').write_text('x')
    with pytest.raises(FileExistsError, match='not written by this data set.*another folder'):
        build(tmp_path)
    assert (tmp_path / 'train' / 'thesis.tex').read_text() == 'x'


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='Cannot write the data set to .*file/here/train.*Set data_root'):
        build(tmp_path / 'file' / 'here')


def test_a_full_disk_is_noticed_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(actions.shutil, 'disk_usage', lambda path: type('Usage', (), dict(free=1000)))
    with pytest.raises(OSError, match='are needed, 0 MiB are free'):
        build(tmp_path)


@pytest.mark.parametrize('kwargs, message', [
    (dict(split='val'), "split must be 'train' or 'test', got 'val'"),
    (dict(num_clips=100), 'multiple of its 8 classes, got 100; take 96'),
    (dict(num_clips=0), 'got 0; take 8'),
])
def test_impossible_arguments_are_refused(tmp_path, kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(tmp_path, **kwargs)


RACE = """
import sys, time
from pathlib import Path
from mmspike.datasets.video_backends import BACKENDS
from mmspike.datasets.write_once import write_once
root, me = Path(sys.argv[1]), sys.argv[2]
(root / f'ready_{me}').touch()
while len(list(root.glob('ready_*'))) < 2:
    time.sleep(0.01)

def write(folder):
    time.sleep(0.5)
    (folder / 'by').write_text(me)

print(write_once(root / 'set', dict(a=1), write), (root / 'set' / 'by').read_text())
"""


def test_of_two_processes_at_once_one_writes_and_the_other_waits(tmp_path):
    both = [subprocess.Popen([sys.executable, '-c', RACE, str(tmp_path), str(i)], stdout=subprocess.PIPE, text=True)
            for i in range(2)]
    told = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(wrote for wrote, _ in told) == ['False', 'True']
    winner = next(str(i) for i, (wrote, _) in enumerate(told) if wrote == 'True')
    assert [by for _, by in told] == [winner, winner]


def test_a_killed_writer_leaves_no_lock(tmp_path):
    script = RACE.replace('time.sleep(0.5)', "print('writing', flush=True); time.sleep(60)")
    (tmp_path / 'ready_x').touch()
    process = subprocess.Popen([sys.executable, '-c', script, str(tmp_path), '0'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'writing\n'
    process.kill()
    process.wait()
    assert write_once(tmp_path / 'set', dict(a=1), lambda folder: (folder / 'by').write_text('me'))
    assert (tmp_path / 'set' / 'by').read_text() == 'me'
