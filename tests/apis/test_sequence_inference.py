"""What the attribute inferencer and its demo tell and draw of a model that writes sequences."""
import importlib.util
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmspike.apis import AttributeInferencer

NAMES = dict(attributes=['Hat', 'Skirt', 'Glasses', 'Bag'], groups=['head', 'lower', 'head', 'other'])


def make_config(mode):
    return Config(dict(
        default_scope='mmspike',
        model=dict(
            type='AttributeRecognizer',
            data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3,
                                   to_rgb=True),
            backbone=dict(type='CLIPVision', img_size=(64, 32), arch=dict(width=8, layers=1, heads=2, output_dims=8,
                                                                          patch_size=16)),
            head=dict(type='SequenceHead', num_attributes=4, phrases=dict(type='LearnedPhrases', channels=8),
                      codec=dict(mode=mode),
                      decoder=dict(embed_dims=8, depth=2, num_heads=2, head_dims=4, feedforward_channels=8))),
        test_dataloader=dict(sampler=dict(type='DefaultSampler'), dataset=dict(
            type='AttributeDataset', ann_file='none.json', pipeline=[
                dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=(32, 64)),
                dict(type='mmpretrain.PackInputs')])),
        test_evaluator=[dict(type='AttributeMetric'), dict(type='SequenceMetric')]))


@pytest.fixture(params=['eos', 'legacy', 'posneg'])
def inferencer(request):
    torch.manual_seed(0)
    inferencer = AttributeInferencer(make_config(request.param), names=NAMES)
    for parameter in inferencer.model.head.decoder.parameters():
        parameter.data.mul_(4)
    return inferencer


@pytest.fixture
def image(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)).save(tmp_path / 'a.png')
    return tmp_path / 'a.png'


def test_the_sequence_is_told_and_drawn(inferencer, image, tmp_path):
    result = inferencer(image, out_dir=tmp_path / 'out', draw=True, sequence=True)
    (person,) = result['predictions']
    (file,) = (tmp_path / 'out').glob('*.png')
    assert file.name == '00000_a.png' and Image.open(file).size[0] > 200
    wrote = [name for name, _ in person['sequence'] if name != 'end' and not name.startswith('not ')]
    assert sorted(set(wrote), key=NAMES['attributes'].index) == person['predicted']
    assert all(0 < probability <= 1 for _, probability in person['sequence'])
    assert json.loads((tmp_path / 'out/predictions.json').read_text())['predictions'][0]['predicted'] == person[
        'predicted']


def test_the_demo_draws_sequences(root, image, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location('attribute_demo', root / 'demo/attribute_demo.py')
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    make_config('eos').dump(str(tmp_path / 'config.py'))
    demo.main([str(image), str(tmp_path / 'config.py'), 'none', '--out-dir', str(tmp_path / 'out'), '--show',
               'sequence'])
    assert '1 panels' in capsys.readouterr().out and len(list((tmp_path / 'out').glob('*.png'))) == 1
