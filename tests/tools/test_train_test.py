"""train.py, test.py and dist_*.sh as a user runs them: processes, a tiny ReSpike, a few rendered clips."""
import json
import os
import pickle
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
EPOCHS, ITERATIONS = 3, 4  # of each epoch, with one process

CONFIG = f"""
_base_ = {str(ROOT / 'configs/respike/respike_r18_synthetic.py')!r}
custom_imports = dict(imports=['tiny_hooks'])
model = dict(head=dict(dropout=0.5))  # draws random numbers in training
train_dataloader = dict(batch_size=4, dataset=dict(data_root='data', num_clips=16))
val_dataloader = dict(batch_size=4, dataset=dict(data_root='data', num_clips=16))
test_dataloader = dict(batch_size=4, dataset=dict(data_root='data', num_clips=16))
param_scheduler = dict(total_steps={EPOCHS})
train_cfg = dict(max_epochs={EPOCHS})
custom_hooks = [dict(type='EpochSeedHook'), dict(type='CheckpointCheckHook'), dict(type='NumClassesHook'),
                dict(type='EMAHook', momentum=0.1), dict(type='KillHook')]
tta_pipeline = [
    dict(type='VideoInit'), dict(type='SampleSegments', num_segments=8, num_clips=2, test_mode=True),
    dict(type='VideoDecode'), dict(type='mmaction.Resize', scale=(64, 64), keep_ratio=False), dict(type='PackClip')]
"""
HOOKS = """
import os, signal
from mmengine.hooks import Hook
from mmspike.registry import HOOKS

@HOOKS.register_module()
class KillHook(Hook):
    '''kill -9 in mid-epoch.'''

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == int(os.environ.get('KILL_AFTER_ITERATION', -1)):
            os.kill(os.getpid(), signal.SIGKILL)
"""


def run(command, folder, **environment):
    env = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='', **environment)
    env['PYTHONPATH'] = os.pathsep.join([str(folder), str(ROOT), env.get('PYTHONPATH', '')])
    env['PATH'] = os.pathsep.join([os.path.dirname(sys.executable), env['PATH']])
    return subprocess.run([str(part) for part in command], cwd=folder, env=env, capture_output=True, text=True,
                          timeout=300)


def succeed(command, folder, **environment):
    done = run(command, folder, **environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def tool(name, *arguments):
    return [sys.executable, ROOT / 'tools' / name, *arguments]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Holds the tiny config, the clips, and the unbroken training in ``unbroken/``."""
    folder = tmp_path_factory.mktemp('tools')
    (folder / 'tiny.py').write_text(CONFIG)
    (folder / 'tiny_hooks.py').write_text(HOOKS)
    (folder / 'log').write_text(succeed(tool('train.py', 'tiny.py', '--work-dir', 'unbroken'), folder))
    return folder


def test_train_writes_checkpoints_logs_and_curves(folder):
    work_dir, log = folder / 'unbroken', (folder / 'log').read_text()
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / f'epoch_{EPOCHS}.pth')
    assert len(list(work_dir.glob('best_acc_top1_epoch_*.pth'))) == 1
    assert list(work_dir.glob('*/vis_data/events.out.tfevents.*'))
    assert 'eta:' in log and 'acc/top1' in log and 'Done. Checkpoints and logs are in unbroken' in log


def test_killed_in_mid_epoch_and_resumed_it_ends_with_the_same_weights(folder):
    killed = run(tool('train.py', 'tiny.py', '--work-dir', 'killed', '--resume', 'auto'), folder,
                 KILL_AFTER_ITERATION=str(ITERATIONS + 1))
    assert killed.returncode == -signal.SIGKILL
    assert 'no checkpoint in killed, the training starts from the beginning' in killed.stdout
    log = succeed(tool('train.py', 'tiny.py', '--work-dir', 'killed', '--resume', 'auto'), folder)
    assert f'resumed epoch: 1, iter: {ITERATIONS}' in log
    ours, theirs = (torch.load(folder / name / f'epoch_{EPOCHS}.pth', weights_only=False)
                    for name in ('killed', 'unbroken'))
    for part in ('state_dict', 'ema_state_dict'):
        assert list(ours[part]) == list(theirs[part])
        for name, value in theirs[part].items():
            assert torch.equal(ours[part][name], value), name
    for name, value in theirs['optimizer']['state'].items():
        assert torch.equal(ours['optimizer']['state'][name]['exp_avg_sq'], value['exp_avg_sq'])
    assert ours['param_schedulers'] == theirs['param_schedulers']


def test_test_reports_dumps_and_draws_what_training_validated(folder):
    checkpoint = folder / 'unbroken' / f'epoch_{EPOCHS}.pth'
    log = succeed(tool('test.py', 'tiny.py', checkpoint, '--out', 'out/metrics.json', '--dump', 'out/predictions.pkl',
                       '--show-dir', 'shown', '--interval', '8', '--work-dir', 'test'), folder)
    metrics = json.loads((folder / 'out/metrics.json').read_text())
    validated = [line for line in (folder / 'log').read_text().splitlines() if f'Epoch(val) [{EPOCHS}]' in line]
    assert f'acc/top1: {metrics["acc/top1"]:.4f}' in validated[0] and 'acc/top1' in log
    predictions = pickle.loads((folder / 'out/predictions.pkl').read_bytes())
    labels = np.array([int(sample['gt_label']) if 'gt_label' in sample else int(sample['gt_labels']['item'])
                       for sample in predictions])
    scores = np.stack([sample['pred_scores']['item'] for sample in predictions])
    assert scores.shape == (16, 8) and (scores.argmax(1) == labels).mean() == pytest.approx(metrics['acc/top1'])
    assert len(list((folder / 'shown').glob('*.png'))) == 2


def test_test_takes_several_clips_and_mixed_precision(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    main = runpy.run_path(str(ROOT / 'tools/test.py'))['main']
    main(['tiny.py', f'unbroken/epoch_{EPOCHS}.pth', '--tta', '--amp', '--dump', 'tta.pkl', '--work-dir', 'tta'])
    predictions = pickle.loads((folder / 'tta.pkl').read_bytes())
    assert len(predictions) == 16 and all(sample['num_clips'] == 2 for sample in predictions)


def test_train_in_mixed_precision_with_another_seed_and_without_validation(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    main = runpy.run_path(str(ROOT / 'tools/train.py'))['main']
    main(['tiny.py', '--amp', '--seed', '5', '--no-validate', '--auto-scale-lr', '--work-dir', 'amp', '--cfg-options',
          'train_cfg.max_epochs=1', 'auto_scale_lr.base_batch_size=8'])
    checkpoint = torch.load(folder / 'amp/epoch_1.pth', weights_only=False)
    assert checkpoint['meta']['seed'] == 5 and "type='CpuAmpOptimWrapper'" in checkpoint['meta']['cfg']
    log = next((folder / 'amp').glob('*/*.log')).read_text()
    assert 'Scaling the original LR by 0.5' in log and 'Epoch(val)' not in log


def test_two_cpu_processes_train_and_test_as_one_does(folder):
    log = succeed(['bash', ROOT / 'tools/dist_train.sh', 'tiny.py', '2', '--work-dir', 'two', '--cfg-options',
                   'train_cfg.max_epochs=1', 'train_dataloader.batch_size=2'], folder)
    assert 'Distributed training: True' in log and 'GPU number: 2' in log
    assert f'Epoch(train) [1][{ITERATIONS}/{ITERATIONS}]' in log
    checkpoint, results = folder / 'two/epoch_1.pth', []
    for command in (tool('test.py', 'tiny.py', checkpoint),
                    ['bash', ROOT / 'tools/dist_test.sh', 'tiny.py', checkpoint, '2']):
        succeed([*command, '--work-dir', 'two', '--out', 'two.json', '--dump', 'two.pkl'], folder)
        results.append((json.loads((folder / 'two.json').read_text()), pickle.loads((folder / 'two.pkl').read_bytes())))
    (one, of_one), (two, of_two) = results
    assert one == two
    validated = next(line for line in log.splitlines() if 'Epoch(val) [1]' in line)
    assert f'acc/top1: {one["acc/top1"]:.4f}' in validated  # all ranks had the statistics that were saved
    for first, second in zip(of_one, of_two, strict=True):
        assert first['filename'] == second['filename']
        np.testing.assert_allclose(first['pred_scores']['item'], second['pred_scores']['item'], rtol=1e-5)
