"""tools/analysis_tools/localize.py on drawn pedestrians whose boxes are known."""
import json
import runpy

import pytest
import torch
from mmengine import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from mmspike.registry import DATASETS, MODELS


@pytest.fixture
def run(root, capsys):
    def call(*arguments):
        runpy.run_path(str(root / 'tools/analysis_tools/localize.py'))['main']([*map(str, arguments)])
        return capsys.readouterr().out
    return call


@pytest.fixture
def model(root, tmp_path):
    """Config and checkpoint of a model that has learned nothing."""
    path = tmp_path / 'tiny.py'
    sizes = dict(data_root=str(tmp_path / 'set'), num_images=dict(train=1, val=4, test=6))
    path.write_text(f"_base_ = ['{root}/configs/sspnet/sspnet_synthetic.py']\nset_ = {sizes!r}\n"
                    'test_dataloader = dict(dataset=set_)\n')
    cfg = Config.fromfile(path)
    with DefaultScope.overwrite_default_scope('mmspike'):
        net = MODELS.build(cfg.model)
        net.head.table.read_meta(DATASETS.build(cfg.test_dataloader.dataset).metainfo)
    torch.save(dict(state_dict=net.state_dict(), meta={}), tmp_path / 'tiny.pth')
    return path, tmp_path / 'tiny.pth'


def test_overlap_and_pictures(run, model, tmp_path):
    out = run(*model, '--out-dir', tmp_path / 'out', '--pictures', 2)
    content = json.loads((tmp_path / 'out/localization.json').read_text())
    assert content['images'] == 6 and [row['attribute'] for row in content['attributes']][-1] == 'mean of attributes'
    rows = {row['attribute']: row for row in content['attributes']}
    pictures = {path.stem for path in (tmp_path / 'out').glob('*.png')}
    assert pictures == {name for name, row in rows.items() if row['images'] and name != 'mean of attributes'}
    assert all(0 <= row['iou'] <= 1 for row in rows.values() if row['images'])
    assert 'whole person' in out and f'Pictures of {len(pictures)} attributes' in out


def test_chosen_attributes_and_an_unknown_one(run, model, tmp_path):
    run(*model, '--out-dir', tmp_path / 'out', '--attributes', 'ShortSleeve', '--max-images', 3)
    content = json.loads((tmp_path / 'out/localization.json').read_text())
    assert [row['attribute'] for row in content['attributes']] == ['ShortSleeve', 'mean of attributes']
    with pytest.raises(ValueError, match='--attributes: Cap is not among those of the test set: Hat, Glasses'):
        run(*model, '--out-dir', tmp_path / 'out', '--attributes', 'Cap')


def test_a_data_set_without_attributes(root):
    chosen = runpy.run_path(str(root / 'tools/analysis_tools/localize.py'))['chosen']
    with pytest.raises(ValueError, match='no attributes to look for; expected a config of pedestrian attributes, such'):
        chosen(BaseDataset(metainfo=dict(joints=['head']), lazy_init=True), None)


def test_thresholds_are_chosen_on_another_split(run, model, tmp_path):
    content = {}
    for split in ('val', 'test'):
        run(*model, '--out-dir', tmp_path / split, '--tune', split, '--pictures', 0, '--cfg-options',
            f'test_dataloader.dataset.split={"test" if split == "val" else "val"}')
        content[split] = json.loads((tmp_path / split / 'localization.json').read_text())
    plain = {}
    best = content['val']['thresholds']['Walking']
    for threshold in (0.5, best):
        run(*model, '--out-dir', tmp_path / 'plain', '--threshold', threshold, '--attributes', 'Walking',
            '--cfg-options', 'test_dataloader.dataset.split=val')  # where it was chosen
        plain[threshold] = json.loads((tmp_path / 'plain/localization.json').read_text())['attributes'][0]['iou']
    assert content['val']['tuned_on'] == 'val' and content['val']['images'] == 6
    assert plain[best] >= plain[0.5]
    assert content['val']['thresholds'] != content['test']['thresholds']


def test_thresholds_cannot_be_chosen_on_the_test_set_or_without_boxes(run, model, tmp_path):
    with pytest.raises(ValueError, match="--tune test: the test set has split='test'; expected .* another one of them"):
        run(*model, '--out-dir', tmp_path / 'out', '--tune', 'test')
    with pytest.raises(ValueError, match='--tune train: no image of this split has a box of an attribute. Add "boxes"'):
        run(*model, '--out-dir', tmp_path / 'out', '--tune', 'train')


def test_without_boxes(run, model, tmp_path):
    out = run(*model, '--out-dir', tmp_path / 'out', '--cfg-options',
              'test_dataloader.dataset.pipeline.2.type=mmpretrain.PackInputs')
    assert 'No boxes in this annotation' in out and not (tmp_path / 'out/localization.json').exists()
    assert list((tmp_path / 'out').glob('*.png'))
