"""The guides are true: links and paths exist, and what they show to type or to copy works as it stands there."""
import argparse
import re
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch
from mmengine.config import Config, DictAction
from mmengine.registry import DefaultScope
from PIL import Image

from mmspike.datasets.attributes import load_annotation
from mmspike.registry import DATASETS, MODELS
from mmspike.structures.attribute_groups import places_of
from mmspike.utils.config_check import check_config

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ('*.md', 'docs/*.md', 'configs/*/*.md', 'benchmarks/*.md')
PAGES = sorted(page for folder in FOLDERS for page in ROOT.glob(folder))
LINK = re.compile(r'\]\((?!https?:|#)([^)#\s]+)')
# Scripts and configs as a reader would type them; a name with a brace in it stands for several.
PATH = re.compile(r'(?<![\w/.<{-])((?:tools|configs|demo|benchmarks|docs|mmspike|tests)/[\w/.-]*\.(?:py|sh|md|yml))\b')


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_exist(page):
    text = page.read_text(encoding='utf-8')
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    missing += [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    assert not missing


def example(page: str, name: str) -> str:
    """The code block below ``<!-- tested: name -->``."""
    text = (ROOT / page).read_text(encoding='utf-8')
    (code,) = re.findall(rf'<!-- tested: {name} -->\n```\w+\n(.*?)```', text, re.S)
    return code


def test_the_checkpoints_named_are_those_that_the_trainings_end_with():
    synthetic = Config.fromfile(ROOT / 'configs/respike/respike_r18_synthetic.py').train_cfg.max_epochs
    own = Config.fromstring(example('docs/quick_start.md', 'own config').replace("'../", f"'{ROOT}/"), '.py')
    for page, expected in (('README.md', {synthetic}), ('docs/quick_start.md', {synthetic, own.train_cfg.max_epochs})):
        named = re.findall(r'/epoch_(\d+)\.pth', (ROOT / page).read_text(encoding='utf-8'))
        assert set(map(int, named)) == expected


def test_the_command_for_twenty_clips_and_the_config_of_ones_own_are_the_same(tmp_path):
    config, command = tmp_path / 'own.py', example('docs/quick_start.md', 'twenty clips')
    config.write_text(example('docs/quick_start.md', 'own config').replace("'../", f"'{ROOT}/"))
    own = Config.fromfile(config)
    check_config(own)
    words = subprocess.run(['bash', '-c', command.replace('python', "printf '%s\\n'", 1)], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    script, typed = words[0], Config.fromfile(ROOT / words[1])
    assert script == 'tools/train.py'
    typed.merge_from_dict(parser.parse_args(words[2:]).cfg_options)
    check_config(typed)
    for key in ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'optim_wrapper', 'param_scheduler',
                'train_cfg'):
        assert typed[key] == own[key], key
    lengths = [own[f'{loader}_dataloader'].dataset.pipeline[1].num_segments for loader in ('train', 'val', 'test')]
    assert lengths == [8, 8, 8]


def test_the_command_for_own_videos_is_what_the_converter_prints(tmp_path):
    for name in ('clap/a.mp4', 'clap/b.avi', 'wave/c.mp4', 'wave/d.mkv'):
        (tmp_path / 'my_videos' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'my_videos' / name).touch()
    done = subprocess.run([sys.executable, ROOT / 'tools/dataset_converters/kinetics.py', 'my_videos', '--val', '0.2'],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert example('docs/quick_start.md', 'own videos').strip() in done.stdout


def test_the_example_of_a_new_model_runs(tmp_path, monkeypatch):
    package, config = tmp_path / 'my_models', tmp_path / 'my_configs' / 'respike_vgg_synthetic.py'
    package.mkdir()
    config.parent.mkdir()
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (package / 'spiking_vgg.py').write_text(example('docs/add_a_model.md', 'module'))
    config.write_text(example('docs/add_a_model.md', 'config'))
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        cfg = Config.fromfile(config)
        with DefaultScope.overwrite_default_scope('mmspike'):
            model = MODELS.build(cfg.model)
        assert type(model.backbone.snn).__name__ == 'SpikingVGG'
        clip = torch.randn(2, 8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        logits = model.train()(clip)
        assert logits.shape == (2, cfg.model.head.num_classes) and logits.isfinite().all()
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
        assert model.backbone.snn.stages[0].conv.weight.grad.abs().sum() > 0
    finally:
        MODELS.module_dict.pop('SpikingVGG', None)
        for name in [name for name in sys.modules if name.split('.')[0] == 'my_models']:
            del sys.modules[name]


@pytest.mark.parametrize('page', ['docs/datasets.md', 'configs/sequencepar/README.md'])
def test_the_example_of_own_attributes_runs(page, tmp_path, monkeypatch):
    config, data = tmp_path / 'my_configs/spikingformer_shop.py', tmp_path / 'data/shop'
    for path in (config.parent, data / 'shop'):
        path.mkdir(parents=True)
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    config.write_text(example(page, 'own attributes config'))
    (data / 'table.csv').write_text(example('docs/datasets.md', 'own attributes'))
    for index in (1, 2, 3):
        Image.new('RGB', (20, 50)).save(data / f'shop/00{index}.jpg')
    tool = ROOT / 'tools/dataset_converters/pedestrian_attributes.py'
    done = subprocess.run([sys.executable, tool, 'own', 'data/shop/table.csv'], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(config)
    check_config(cfg)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert [train.get_data_info(i)['gt_score'].tolist() for i in range(2)] == [[1, 0, 1], [0, -1, 0]]
    assert DATASETS.build(cfg.test_dataloader.dataset)[0]['data_samples'].gt_score.tolist() == [1, 1, -1]
    assert cfg.model.head.num_attributes == len(train.metainfo['attributes'])


def test_the_example_of_an_annotation_file_is_read(tmp_path):
    (tmp_path / 'a.json').write_text(example('docs/datasets.md', 'annotation'))
    annotation = load_annotation(tmp_path / 'a.json')
    assert annotation.labels.tolist() == [[1, -1], [0, 1], [1, 0]] and annotation.extras['id'] == [7, None, None]


def test_the_places_and_the_mapping_are_read(tmp_path):
    for name, file in (('places', 'a.json'), ('mapping', 'mapping.json')):
        (tmp_path / file).write_text(example('docs/datasets.md', name))
    Image.new('RGB', (64, 128)).save(tmp_path / '001.jpg')
    options = dict(type='AttributeDataset', ann_file='a.json', data_root=str(tmp_path), data_prefix=dict(img=''))
    data = DATASETS.build(options)
    hat, bag = places_of(data.metainfo['groups'], data.metainfo['group_places'])
    assert hat.scale == 1 and bag.region == (0.3, 0.8) and bag.keypoints == (9, 10)
    info = data.get_data_info(0)
    assert info['gt_bboxes'].shape == (3, 4) and info['gt_keypoints'].shape == (1, 3, 3)
    mapped = DATASETS.build(dict(options, attributes=str(tmp_path / 'mapping.json')))
    assert mapped.get_data_info(0)['gt_score'].tolist() == [1, 0, -1]


def test_the_example_of_event_files_runs(tmp_path, monkeypatch):
    with h5py.File(tmp_path / 'recording.h5', 'w') as file:
        for camera in (2, 3):
            for name, values in dict(t=[1_000, 120_000, 199_999], x=[1, 2, 3], y=[1, 1, 2], p=[0, 1, 1]).items():
                file[f'cam{camera}_events/{name}'] = values
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(example('docs/datasets.md', 'open events'), found)
    assert found['bins'].shape == (10, 2, 260, 346) and found['bins'].sum() == 2 and len(found['before']) == 1
