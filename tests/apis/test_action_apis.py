"""init_model, the inferencer and the demo, on a small ReSpike and rendered videos."""
import copy
import importlib.util
import json

import cv2
import pytest
import torch
from mmengine.config import Config

from mmspike.apis import ActionInferencer, init_model
from mmspike.apis.action_inferencer import find_videos
from mmspike.datasets import VideoReadError
from mmspike.datasets.synthetic_actions import make_clip, write_video
from mmspike.utils.checkpoint import CheckpointError
from mmspike.utils.config_check import ConfigError

CLASSES = ['left', 'right', 'up', 'down']


@pytest.fixture(scope='module')
def config(root):
    """Width 16, 64x64, eight frames in two groups; the ANN asks for ImageNet weights, which must not be fetched."""
    return Config(dict(
        default_scope='mmspike',
        model=dict(
            type='ActionRecognizer',
            backbone=dict(
                type='ReSpike',
                ann=dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16,
                         out_indices=(0, 1, 2, 3),
                         init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet18.default')),
                snn=dict(type='SpikingResNet', base_channels=16, neuron=dict(type='LIF', tau=4 / 3),
                         norm=dict(type='StepBatchNorm2d')),
                fusion=dict(type='CrossAttentionFusion', head_dim=16), stride=4),
            head=dict(type='ActionHead', num_classes=4, in_channels=256)),
        test_dataloader=dict(sampler=dict(type='DefaultSampler'), dataset=dict(
            type='VideoDataset', ann_file='none.txt', pipeline=[
                dict(type='VideoInit'), dict(type='SampleSegments', num_segments=8, test_mode=True),
                dict(type='VideoDecode'), dict(type='PackClip')]))))


@pytest.fixture(scope='module')
def checkpoint(config, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('checkpoint') / 'epoch_1.pth'
    torch.save(dict(state_dict=init_model(config).state_dict(), meta=dict(dataset_meta=dict(classes=CLASSES))), path)
    return path


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Three clips and a file that is none."""
    folder = tmp_path_factory.mktemp('videos')
    (folder / 'deeper').mkdir()
    for i, name in enumerate(('a.avi', 'b.avi', 'deeper/c.avi')):
        write_video(folder / name, make_clip('test', i)[0])
    (folder / 'broken.mp4').write_bytes(b'no video')
    (folder / 'notes.txt').write_text('not looked at')
    return folder


@pytest.fixture(scope='module')
def inferencer(config, checkpoint):
    return ActionInferencer(config, checkpoint)


def test_a_model_is_in_evaluation_mode_and_repeats_itself(config, checkpoint):
    model = init_model(config, checkpoint)
    assert not model.training and model.dataset_meta == dict(classes=CLASSES)
    clip = torch.randn(2, 8, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = model(clip, mode='tensor')
        assert logits.shape == (2, 4)
        torch.testing.assert_close(model(clip, mode='tensor'), logits, rtol=0, atol=0)
        torch.testing.assert_close(init_model(config, checkpoint)(clip), logits, rtol=0, atol=0)


def test_options_are_put_over_a_copy_of_the_config(config):
    model = init_model(config, cfg_options={'model.head.num_classes': 7})
    assert model.head.fc.out_features == 7 and model.cfg.model.head.num_classes == 7
    assert config.model.head.num_classes == 4
    assert 'init_cfg' in config.model.backbone.ann  # only what is built goes without


def test_a_config_file_is_read(root):
    model = init_model(str(root / 'configs/_base_/models/respike_r18.py'),
                       cfg_options={'model.backbone.snn.base_channels': 64})
    assert model.cfg.default_scope == 'mmspike' and model.head.num_classes == 400


def test_a_misspelt_config_and_a_foreign_checkpoint_are_errors(config, tmp_path):
    with pytest.raises(ConfigError, match='num_classes'):
        init_model(config, cfg_options={'model.head.num_clases': 7})
    other = tmp_path / 'other.pth'
    torch.save(torch.nn.Linear(2, 2).state_dict(), other)
    with pytest.raises(CheckpointError, match='does not fit the model'):
        init_model(config, other)


def test_one_file(inferencer, videos):
    results = inferencer(videos / 'a.avi', topk=3)
    (best,) = results['predictions']
    assert results['skipped'] == []
    assert best['filename'].endswith('a.avi') and len(best['top']) == 3
    assert best['class'] == CLASSES[best['label']] and best['score'] == best['top'][0]['score']
    assert best['top'][0]['score'] >= best['top'][1]['score'] >= best['top'][2]['score']
    everything = inferencer(videos / 'a.avi', topk=99)['predictions'][0]['top']
    assert sum(entry['score'] for entry in everything) == pytest.approx(1, abs=1e-5)


def test_a_folder_in_batches_leaves_out_what_it_cannot_read(inferencer, videos, tmp_path, caplog):
    one_by_one = [inferencer(video)['predictions'][0] for video in find_videos(videos) if video.name != 'broken.mp4']
    results = inferencer(videos, batch_size=2, out_dir=tmp_path)
    assert [p['filename'] for p in results['predictions']] == [p['filename'] for p in one_by_one]
    for together, alone in zip(results['predictions'], one_by_one, strict=True):
        assert together['label'] == alone['label'] and together['score'] == pytest.approx(alone['score'], abs=1e-5)
    (skipped,) = results['skipped']
    assert skipped['filename'].endswith('broken.mp4') and 'broken.mp4' in skipped['error']
    assert json.loads((tmp_path / 'predictions.json').read_text()) == results
    assert not list(tmp_path.glob('*.png'))


def test_pictures_show_each_videos_own_rates(inferencer, videos, tmp_path):
    inferencer([videos / 'a.avi', videos / 'missing.avi', videos / 'b.avi'], batch_size=8, out_dir=tmp_path, draw=True)
    assert sorted(file.name for file in tmp_path.glob('*.png')) == ['00000_a.png', '00001_b.png']
    assert cv2.imread(str(tmp_path / '00000_a.png')).std() > 0
    _, rates = inferencer.predict([inferencer.read(videos / 'a.avi')])
    assert len(rates) == 16 and all(len(rate) == 3 for rate in rates.values())


def test_videos_of_different_numbers_of_views_are_batched_apart(config, videos, tmp_path):
    config = copy.deepcopy(config)
    config.test_dataloader.dataset.pipeline[1] = dict(type='SampleWindows', clip_len=8, test_mode=True)
    inferencer = ActionInferencer(config)
    write_video(tmp_path / 'long.avi', make_clip('test', 5, num_frames=24)[0])
    assert len(inferencer.read(tmp_path / 'long.avi')['inputs']) == 3
    results = inferencer([videos / 'a.avi', tmp_path / 'long.avi', videos / 'b.avi'], batch_size=3)
    assert len(results['predictions']) == 3
    assert results['predictions'][0]['class'].startswith('class ')  # no checkpoint, no names


def test_errors_say_what_to_do(config, inferencer, tmp_path, videos):
    with pytest.raises(FileNotFoundError, match='no video file in this folder'):
        inferencer(tmp_path)
    with pytest.raises(ValueError, match='needs out_dir'):
        inferencer(videos, draw=True)
    with pytest.raises(ValueError, match='2 class names for a model of 4 classes'):
        ActionInferencer(config, classes=['a', 'b'])
    with pytest.raises(ValueError, match='no test_dataloader.dataset.pipeline'):
        ActionInferencer(Config(dict(model=config.model)))


def test_demo(root, config, checkpoint, videos, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location('action_demo', root / 'demo/action_demo.py')
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    file = tmp_path / 'config.py'
    config.dump(file)
    out = tmp_path / 'new' / 'panel.png'
    demo.main([str(videos / 'a.avi'), str(file), str(checkpoint), '--out-file', str(out), '--topk', '2'])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('1  ') and lines[0].split()[-1] in CLASSES and len(lines) == 3
    assert lines[-1] == f'picture: {out}'
    assert cv2.imread(str(out)).std() > 0

    labels = tmp_path / 'labels.txt'
    labels.write_text('north\neast\nsouth\nwest\n')
    demo.main([str(videos / 'a.avi'), str(file), 'none', '--out-file', str(out), '--label-file', str(labels)])
    assert capsys.readouterr().out.split()[3] in ('north', 'east', 'south', 'west')
    with pytest.raises(VideoReadError, match='broken.mp4'):
        demo.main([str(videos / 'broken.mp4'), str(file), str(checkpoint)])
