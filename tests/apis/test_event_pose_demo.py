"""The demo makes a video of a recording, with the poses beside it where there are some."""
import importlib.util
import shutil

import cv2
import pytest
from mmengine.config import Config

from mmspike.datasets.events import EventFileError
from mmspike.registry import DATASETS

NARROW = ['model.cnn.base_channels=1', 'model.network.base_channels=1']


@pytest.fixture(scope='module')
def demo(root):
    spec = importlib.util.spec_from_file_location('event_pose_demo', root / 'demo/event_pose_demo.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp('poses')
    DATASETS.build(dict(type='SyntheticPoses', data_root=str(folder / 'set'), seconds=0.5, made_cameras=(3, 2),
                        num_sequences=dict(train=1, val=1, test=1)))
    return folder / 'set/S1_session1_mov1_events.h5'


def run(demo, file, out, *options):
    demo.main([str(file), str(demo.CONFIG), 'none', '--out-file', str(out), *options, '--cfg-options', *NARROW])


def frames_of(path):
    video, frames = cv2.VideoCapture(str(path)), []
    while (frame := video.read())[0]:
        frames.append(frame[1])
    return frames


def test_a_recording_with_poses(demo, recording, tmp_path, capsys):
    run(demo, recording, tmp_path / 'pose.mp4', '--stream', 'cam3')
    printed = capsys.readouterr().out
    assert 'poses, of which' in printed and 'step_median_ms' in printed and 'mean error: ' in printed
    frames = frames_of(tmp_path / 'pose.mp4')
    assert len(frames) == int(printed.split(' poses')[0].split()[-1]) > 20 and frames[0].shape == (536, 512, 3)


def test_the_camera_is_one_that_the_model_knows(demo, recording, root):
    cfg = Config.fromfile(root / 'configs/_base_/datasets/dhp19.py')
    assert demo.camera_of(recording, cfg) == 'cam3'  # of cam2 and cam3
    cfg.test_dataloader.dataset.cameras = (0,)
    assert demo.camera_of(recording, cfg) == 'cam2'


def test_without_poses_and_without_enough_events(demo, recording, tmp_path, capsys):
    alone = tmp_path / 'alone_events.h5'
    shutil.copy(recording, alone)
    run(demo, alone, tmp_path / 'pose.mp4', '--stream', 'cam2')
    assert 'mean error' not in capsys.readouterr().out and frames_of(tmp_path / 'pose.mp4')
    with pytest.raises(SystemExit, match='no pose within 0.05 s: the CNN looks back at 800 events, every 100 ms'):
        run(demo, alone, tmp_path / 'none.mp4', '--seconds', '0.05')


def test_other_files_are_named(demo, tmp_path):
    (tmp_path / 'text.h5').write_text('text')
    with pytest.raises(EventFileError, match='text.h5'):
        run(demo, tmp_path / 'text.h5', tmp_path / 'pose.mp4')
