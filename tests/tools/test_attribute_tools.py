"""tools/test.py on attributes, as a user runs it, and what its configs must agree on."""
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config

from mmspike.apis import init_model

ROOT = Path(__file__).parents[2]


def attribute_metric(evaluator):
    """The AttributeMetric of an evaluator, which may have several metrics, or None."""
    metrics = evaluator if isinstance(evaluator, list) else [evaluator]
    return next((metric for metric in metrics if metric.get('type') == 'AttributeMetric'), None)


CONFIGS = sorted(path for path in (ROOT / 'configs').glob('*/*.py')
                 if attribute_metric(Config.fromfile(path).get('test_evaluator', {})))

CONFIG = f"""
_base_ = [{str(ROOT / 'configs/_base_/datasets/synthetic_pedestrians.py')!r},
          {str(ROOT / 'configs/_base_/attribute_runtime.py')!r}]
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
    backbone=dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2),
    head=dict(type='AttributeHead', num_attributes=12, in_channels=16))
test_dataloader = dict(batch_size=4, num_workers=0, dataset=dict(data_root='data', num_images=dict(
    train=2, val=2, test=5)))
test_cfg = dict()
train_dataloader = val_dataloader = val_evaluator = None
"""


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_pictures_follow_the_threshold_of_the_metric(path):
    cfg = Config.fromfile(path)
    sequences = cfg.model.get('head', {}).get('type') == 'SequenceHead'  # what is written is what is above 0.5
    assert cfg.visualizer.type == ('SequenceVisualizer' if sequences else 'AttributeVisualizer')
    tested, validated = attribute_metric(cfg.test_evaluator), attribute_metric(cfg.val_evaluator)
    assert cfg.visualizer.get('threshold', .5) == tested.get('threshold', .5) == validated.get('threshold', .5)
    assert cfg.default_hooks.checkpoint.save_best == 'par/mA'


def test_test_prints_the_table_and_writes_files_and_pictures(tmp_path):
    (tmp_path / 'tiny.py').write_text(CONFIG)
    torch.save(dict(state_dict=init_model(tmp_path / 'tiny.py').state_dict()), tmp_path / 'weights.pth')
    environment = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='',
                       PYTHONPATH=os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]))
    done = subprocess.run([sys.executable, ROOT / 'tools/test.py', 'tiny.py', 'weights.pth', '--out', 'new/out.json',
                           '--show-dir', 'show', '--interval', '2'], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=300)
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-3000:]
    assert '5 images, 12 attributes, threshold 0.5, in per cent:' in log and 'recall+' in log and '[head]' in log
    figures = json.loads((tmp_path / 'new/out.json').read_text())
    content = json.loads((tmp_path / 'new/out_attributes.json').read_text())
    assert content['figures']['mA'] == figures['par/mA'] and len(content['attributes']) == 12
    with (tmp_path / 'new/out_attributes.csv').open() as file:
        assert [row['attribute'] for row in csv.DictReader(file)] == [row['attribute'] for row in content['attributes']]
    pictures = sorted((tmp_path / 'show').iterdir())
    assert [picture.name.split('_')[1] for picture in pictures] == ['0.png', '2.png', '4.png']
    assert cv2.imread(str(pictures[0])).shape[1] > 700
