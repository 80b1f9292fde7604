"""The guides are true: links and paths exist, and what they show to type or to copy works as it stands there."""
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmspike.registry import MODELS

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


def test_the_checkpoints_named_are_those_that_the_trainings_end_with():
    epochs = {name: Config.fromfile(ROOT / f'configs/respike/{name}.py').train_cfg.max_epochs
              for name in ('respike_r18_synthetic', 'respike_r18_kinetics400')}
    for page, expected in (('README.md', {'respike_r18_synthetic'}), ('docs/quick_start.md', set(epochs))):
        named = re.findall(r'/epoch_(\d+)\.pth', (ROOT / page).read_text(encoding='utf-8'))
        assert set(map(int, named)) == {epochs[name] for name in expected}


def example(page: str, name: str) -> str:
    """The code block below ``<!-- tested: name -->``."""
    text = (ROOT / page).read_text(encoding='utf-8')
    (code,) = re.findall(rf'<!-- tested: {name} -->\n```\w+\n(.*?)```', text, re.S)
    return code


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
