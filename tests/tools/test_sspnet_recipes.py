"""SSPNet from its shipped configs, as a user with images of their own runs it: annotation, training, test."""
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmspike.structures.attribute_groups import GroupError

ROOT = Path(__file__).parents[2]
NUM, HEIGHT, WIDTH = 24, 96, 64
COLOURS = [[0, 0, 200], [200, 0, 0]]

OWN = """
_base_ = [{base!r}]
own = dict(data_root='set', ann_file='own.json', data_prefix=dict(img=''))
pipeline = [dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=({width}, {height})), dict(type='PackPerson')]
train_pipeline = [*pipeline[:2], dict(type='PersonCrop', crop_size=({height}, {width}), padding=2),
                  dict(type='mmpretrain.RandomFlip', prob=0.5), pipeline[-1]]
train_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=train_pipeline, **own))
val_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=pipeline, **own))
test_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=pipeline, **own))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
custom_hooks = []  # a mean over 5,000 steps is of no use to a training of {epochs} epochs
train_cfg = dict(max_epochs={epochs})
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
"""
RESNET = """
model = dict(
    backbone=dict(depth=18, stem_channels=8, base_channels=8, init_cfg=None), neck=dict(out_channels=16),
    head=dict(num_attributes=2, in_channels=16, dropout=0.0, num_keypoints=2))
"""
SPIKING = """
model = dict(
    backbone=dict(arch=dict(_delete_=True, embed_dims=16, depth=1, num_heads=2), num_steps=2),
    neck=dict(out_channels=8),
    head=dict(num_attributes=2, in_channels=8))
"""


def annotation(folder, change=lambda content: None):
    """Two squares, above and below, each red or blue; keypoints say where. Beside each a decoy of the other colour."""
    rng, images = np.random.default_rng(0), []
    (folder / 'set').mkdir(exist_ok=True)
    for i in range(NUM):
        pixels, labels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8), [i % 2, i // 2 % 2]
        points = rng.integers(8, (WIDTH // 2 - 8, HEIGHT // 2 - 8), (2, 2)) + [[0, 0], [0, HEIGHT // 2]]
        points[:, 0] += WIDTH // 2 * (side := rng.integers(2))
        for (x, y), label in zip(points, labels, strict=True):
            pixels[y - 7:y + 8, x - 7:x + 8] = COLOURS[label]
            x += WIDTH // 2 * (1 - 2 * side)
            pixels[y - 7:y + 8, x - 7:x + 8] = COLOURS[1 - label]
        Image.fromarray(pixels).save(folder / f'set/{i}.png')
        images.append(dict(file=f'{i}.png', labels=labels, keypoints=[[int(x), int(y), 1] for x, y in points]))
    rows = list(range(NUM))
    content = dict(
        dataset='own', attributes=[dict(name='RedCap', group='cap'), dict(name='RedShoes', group='shoes')],
        groups=dict(cap=dict(region=[0, 0.5], scale=1, keypoints=[0]), shoes=dict(region=[0.5, 1], keypoints=[1])),
        splits=dict(train=rows, val=rows[:8], test=rows[8:]), images=images)
    change(content)
    (folder / 'set/own.json').write_text(json.dumps(content))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs tools/<name>.py in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda name, *arguments: runpy.run_path(str(ROOT / f'tools/{name}.py'))['main']([*map(str, arguments)])


def write_config(folder, base, model, height=HEIGHT, width=WIDTH, epochs=1):
    text = OWN.format(base=str(ROOT / f'configs/sspnet/{base}.py'), height=height, width=width, epochs=epochs) + model
    (folder / 'own.py').write_text(text)


def test_keypoints_are_trained_with_and_tested(run, tmp_path):
    annotation(tmp_path)
    write_config(tmp_path, 'sspnet_r50_pa100k', RESNET, epochs=4)
    run('train', 'own.py', '--work-dir', 'out')
    best = next((tmp_path / 'out').glob('best_par_mA_*.pth'))
    run('test', 'own.py', best, '--work-dir', 'tested', '--out', 'figures.json')
    assert json.loads((tmp_path / 'figures.json').read_text())['par/mA'] == 1
    saved = torch.load(best, weights_only=False)['state_dict']
    assert saved['head.table.keypoints'].tolist() == [[True, False], [False, True]]


def test_a_spiking_backbone_and_another_size(run, tmp_path):
    annotation(tmp_path)
    write_config(tmp_path, 'sspnet_spikingformer_pa100k', SPIKING, height=64, width=32)
    run('train', 'own.py', '--work-dir', 'out', '--cfg-options', 'val_dataloader.dataset.split=test')
    run('test', 'own.py', tmp_path / 'out/epoch_1.pth', '--work-dir', 'tested', '--out', 'figures.json')
    tested = json.loads((tmp_path / 'figures.json').read_text())['par/mA']
    log = next((tmp_path / 'out').glob('*/*.log')).read_text()
    assert f'par/mA: {tested:.4f}' in log and 'cap (1): rows 0-50 %, P1; shoes (1): rows 50-100 %, P1' in log


@pytest.mark.parametrize(('change', 'error', 'words'), [
    (lambda content: content['groups'].pop('shoes'), GroupError,
     '''where the group 'shoes' is looked for.*"groups": {"shoes": {"region": .*model.head.groups='''),
    (lambda content: content['groups']['shoes'].pop('keypoints'), GroupError,
     "'shoes' has the keypoints .*expected some of 0 to 1 .*Add them to the annotation file"),
    (lambda content: content['images'][5].pop('keypoints'), ValueError,
     r'5.png has no keypoints, expected \[2, 3\]. Add "keypoints": \[\[x, y, visible\], ...\] to each image')])
def test_what_the_annotation_lacks_is_named_when_the_training_starts(run, tmp_path, change, error, words):
    annotation(tmp_path, change)
    write_config(tmp_path, 'sspnet_r50_pa100k', RESNET)
    with pytest.raises(error, match=f'(?s){words}'):
        run('train', 'own.py', '--work-dir', 'out')
