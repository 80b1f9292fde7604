"""The attribute inferencer and its demo, on a tiny Spikingformer: images of every mode, boxes, videos, broken files."""
import importlib.util
import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmspike.apis import AttributeInferencer, init_model
from mmspike.apis.persons import PersonReader
from mmspike.datasets.synthetic_actions import write_video

NAMES = dict(attributes=['Hat', 'Skirt', 'Glasses', 'Bag'], groups=['head', 'lower', 'head', 'other'])


@pytest.fixture(scope='module')
def config():
    return Config(dict(
        default_scope='mmspike',
        model=dict(
            type='AttributeRecognizer',
            data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3,
                                   to_rgb=True),
            backbone=dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2),
            head=dict(type='AttributeHead', num_attributes=4, in_channels=16)),
        test_dataloader=dict(sampler=dict(type='DefaultSampler'), dataset=dict(
            type='AttributeDataset', ann_file='none.json', pipeline=[
                dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=(32, 64)),
                dict(type='mmpretrain.PackInputs')])),
        test_evaluator=dict(type='AttributeMetric', threshold=.45)))


@pytest.fixture(scope='module')
def checkpoint(config, tmp_path_factory):
    torch.manual_seed(0)
    model = init_model(config)
    torch.nn.init.normal_(model.head.fc.weight, std=2)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):  # an untrained model emits no spike
            module.weight.data.fill_(2.5)
            module.bias.data.fill_(1)
    path = tmp_path_factory.mktemp('checkpoint') / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=NAMES)), path)
    return path


@pytest.fixture(scope='module')
def inferencer(config, checkpoint):
    return AttributeInferencer(config, checkpoint)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """One picture in four modes, another one, a broken one and what is no picture."""
    folder = tmp_path_factory.mktemp('persons')
    grey = np.random.default_rng(0).integers(0, 256, (90, 40), np.uint8)
    picture = Image.fromarray(grey)
    for name, mode in (('grey.png', 'L'), ('palette.png', 'P'), ('rgb.png', 'RGB'), ('rgba.png', 'RGBA')):
        picture.convert(mode).save(folder / name)
    (folder / 'deeper').mkdir()
    Image.fromarray(255 - grey[::-1]).save(folder / 'deeper/other.JPG', quality=95)
    (folder / 'broken.jpg').write_bytes(b'no image')
    (folder / 'notes.txt').write_text('not looked at')
    return folder


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """Thirty frames, each of one grey level."""
    path = tmp_path_factory.mktemp('video') / 'walk.avi'
    frames = np.stack([np.full((96, 64, 3), 8 * t, np.uint8) for t in range(30)])
    frames[:, 32:, 32:] = 255
    write_video(path, frames)
    return path


def test_one_image(inferencer, folder):
    results = inferencer(folder / 'rgb.png')
    (person,) = results['predictions']
    assert results['skipped'] == [] and set(person) == {'filename', 'predicted', 'attributes'}
    assert list(person['attributes']) == ['head', 'lower', 'other']
    assert list(person['attributes']['head']) == ['Hat', 'Glasses']
    scores = {name: score for group in person['attributes'].values() for name, score in group.items()}
    assert inferencer.threshold == .45  # as in the config's evaluator
    assert person['predicted'] == [name for name in NAMES['attributes'] if scores[name] > .45]
    with torch.no_grad():  # the same through the model by hand
        image = torch.from_numpy(cv2.resize(cv2.imread(str(folder / 'rgb.png')), (32, 64))).permute(2, 0, 1)
        logits = inferencer.model((image.flip(0).float()[None] - 127.5) / 127.5)
    np.testing.assert_allclose([scores[name] for name in NAMES['attributes']], logits[0].sigmoid(), rtol=1e-4)


def test_a_folder_in_batches_leaves_out_what_it_cannot_read(inferencer, folder, tmp_path):
    results = inferencer(folder, batch_size=3, out_dir=tmp_path / 'out')
    files = [person['filename'].removeprefix(f'{folder}/') for person in results['predictions']]
    assert files == ['deeper/other.JPG', 'grey.png', 'palette.png', 'rgb.png', 'rgba.png']
    other, *same = [person['attributes']['other']['Bag'] for person in results['predictions']]
    assert same == pytest.approx([same[0]] * 4, abs=1e-5) and abs(other - same[0]) > 1e-4
    (skipped,) = results['skipped']
    assert skipped['filename'].endswith('broken.jpg') and 'cannot be decoded' in skipped['error']
    assert json.loads((tmp_path / 'out/predictions.json').read_text()) == results


def test_panels_with_heat_maps(inferencer, folder, tmp_path):
    inferencer([folder / 'rgb.png', folder / 'deeper/other.JPG'], 2, out_dir=tmp_path, draw=True, heatmap=True)
    assert sorted(file.name for file in tmp_path.glob('*.png')) == ['00000_rgb.png', '00001_other.png']
    inferencer(folder / 'rgb.png', out_dir=tmp_path / 'plain', draw=True)
    plain, hot = (cv2.imread(str(tmp_path / name)) for name in ('plain/00000_rgb.png', '00000_rgb.png'))
    assert hot.shape[1] > plain.shape[1] > 300
    (sample,) = inferencer.samples(folder / 'rgb.png', PersonReader())
    _, maps = inferencer.predict([sample])
    assert maps.maps.shape == (1, 4, 2) and 0 < maps.maps.mean() < 1
    assert maps.name == 'share of neurons that fire in backbone.blocks.0.mlp.lif2'


def test_boxes_in_an_image(inferencer, folder, tmp_path):
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(json.dumps({'rgb.png': [[0, 0, 40, 45], [-3.5, 44.5, 20, 999]]}))
    results = inferencer([folder / 'rgb.png', folder / 'grey.png'], boxes=boxes)
    assert [person['box'] for person in results['predictions']] == [(0, 0, 40, 45), (-3.5, 44.5, 20, 999)]
    crops = [person.crop for person in PersonReader(boxes)(folder / 'rgb.png')]
    image = cv2.imread(str(folder / 'rgb.png'))
    np.testing.assert_array_equal(crops[0], image[:45])
    np.testing.assert_array_equal(crops[1], image[44:, :20])


def test_frames_of_a_video(inferencer, video, tmp_path):
    results = inferencer(video, interval=10, out_dir=tmp_path, draw=True)
    assert [person['frame'] for person in results['predictions']] == [0, 10, 20]
    assert (tmp_path / '00001_walk_frame10.png').is_file()
    persons = list(PersonReader({'walk.avi': {'3': [[0, 0, 8, 8], [40, 40, 60, 90]], '29': []}})(video))
    assert [person.name for person in persons] == ['walk_frame3_person0', 'walk_frame3_person1']
    assert persons[1].crop.shape == (50, 20, 3) and persons[1].crop.min() > 240
    assert abs(int(persons[0].crop.mean()) - 24) <= 3


def test_a_broken_video_is_left_out(inferencer, folder, tmp_path):
    (tmp_path / 'cut.mp4').write_bytes(b'no video')
    results = inferencer([tmp_path / 'cut.mp4', folder / 'rgb.png'])
    assert len(results['predictions']) == 1 and 'cut.mp4' in results['skipped'][0]['error']


def test_names(config, checkpoint, folder):
    given = AttributeInferencer(config, checkpoint, names=dict(attributes=list('abcd')))
    assert list(given(folder / 'rgb.png')['predictions'][0]['attributes']['']) == list('abcd')
    unknown = AttributeInferencer(config, threshold=.9)
    assert unknown.names[0] == 'attribute 0' and unknown.threshold == .9
    with pytest.raises(ValueError, match='2 names for a model of 4 attributes; give one per attribute'):
        AttributeInferencer(config, names=dict(attributes=list('ab')))


def test_errors_say_what_to_do(config, inferencer, folder, video, tmp_path):
    with pytest.raises(FileNotFoundError, match='no image or video file in this folder'):
        inferencer(tmp_path)
    with pytest.raises(ValueError, match='AttributeInferencer: draw=True needs out_dir'):
        inferencer(folder, draw=True)
    with pytest.raises(ValueError, match='the test pipeline begins with Resize; expected LoadImage'):
        AttributeInferencer(config, cfg_options={'test_dataloader.dataset.pipeline': [
            dict(type='mmpretrain.Resize', scale=(32, 64))]})
    with pytest.raises(FileNotFoundError, match='none.json: no such file; expected a JSON file {"street.jpg"'):
        inferencer(folder, boxes='none.json')
    with pytest.raises(ValueError, match='no boxes for any of the 1 files, such as .*rgb.png; it names other.png'):
        inferencer(folder / 'rgb.png', boxes={'other.png': [[0, 0, 9, 9]]})
    for wrong in ([[1, 2, 3, 4]], {'a.jpg': [[1, 2, 3]]}, {'a.mp4': {'first': []}}, {'a.jpg': 7}):
        path = tmp_path / 'wrong.json'
        path.write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match=r'wrong.json: not boxes of persons by file .*; expected {"street.jpg"'):
            PersonReader(path)
    with pytest.raises(ValueError, match='has no pixel in the picture, 40 wide and 90 high'):
        list(PersonReader({'rgb.png': [[50, 0, 60, 90]]})(folder / 'rgb.png'))
    with pytest.raises(ValueError, match='boxes are given for 3 to 30'):
        list(PersonReader({'walk.avi': {'30': [], '3': []}})(video))
    with pytest.raises(ValueError, match='a list of boxes for the video'):
        list(PersonReader({'walk.avi': [[1, 2, 3, 4]]})(video))
    with pytest.raises(ValueError, match='boxes by frame for .*rgb.png, which is no video'):
        list(PersonReader({'rgb.png': {'0': []}})(folder / 'rgb.png'))
    with pytest.raises(ValueError, match='interval=0: expected 1'):
        PersonReader(interval=0)


@pytest.fixture(scope='module')
def demo(root):
    spec = importlib.util.spec_from_file_location('attribute_demo', root / 'demo/attribute_demo.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_demo(demo, config, checkpoint, folder, tmp_path, capsys):
    config.dump(str(tmp_path / 'config.py'))
    command = [str(folder), str(tmp_path / 'config.py'), str(checkpoint), '--out-dir', str(tmp_path / 'out')]
    demo.main([*command, '--show', 'heatmap', '--batch-size', '4', '--threshold', '0'])
    printed = capsys.readouterr().out
    assert f'{folder}/rgb.png: Hat, Skirt, Glasses, Bag' in printed and 'left out: cannot read image' in printed
    assert f'5 panels and predictions.json in {tmp_path / "out"}' in printed
    assert len(list((tmp_path / 'out').glob('*.png'))) == 5


def test_demo_without_a_checkpoint(demo, config, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config.dump('config.py')
    with pytest.raises(FileNotFoundError, match='last_checkpoint is missing: give a CHECKPOINT, or train one with'):
        demo.main([str(folder), 'config.py'])
    demo.main([str(folder / 'rgb.png'), 'config.py', 'none'])
    assert '1 panels and predictions.json in attribute_panels' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='broken.jpg: no person in it that could be read'):
        demo.main([str(folder / 'broken.jpg'), 'config.py', 'none'])
