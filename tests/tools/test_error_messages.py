"""What a user sees who runs train.py or test.py with a mistake: one message that says what to do."""
import importlib.util
import os
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest
import torch

from mmspike.utils.tool_errors import run_tool

ROOT = Path(__file__).parents[2]
FLAGSHIP = str(ROOT / 'configs/respike/respike_r50_kinetics400.py')
TINY = str(ROOT / 'configs/respike/respike_r18_synthetic.py')
SMALL = [f'{loader}_dataloader.{setting}' for loader in ('train', 'val', 'test')
         for setting in ('num_workers=0', 'persistent_workers=False', 'batch_size=2', 'dataset.num_clips=8')]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def message_of(tool, *arguments):
    """Runs a tool in this process; it must end with a message."""
    spec = importlib.util.spec_from_file_location(f'tool_{tool}', ROOT / f'tools/{tool}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(SystemExit) as caught:
        run_tool(partial(module.main, [str(argument) for argument in arguments]))
    return str(caught.value.code)


def test_the_flagship_without_data_names_list_converter_and_the_set_that_needs_none():
    message = message_of('train', FLAGSHIP)
    assert 'the list data/kinetics400/' in message and 'is missing' in message
    assert 'tools/dataset_converters/kinetics.py' in message
    assert 'python tools/train.py configs/respike/respike_r18_synthetic.py' in message


@pytest.mark.parametrize(('option', 'expected'), [
    ('model.backbone.strid=4', "model.backbone.strid: ReSpike has no argument 'strid'"),
    ('train_dataloader.bach_size=4', "train_dataloader.bach_size: .* Did you mean 'batch_size'"),
    ('modle.head.num_classes=4', "modle: .* Did you mean 'model'"),
])
def test_a_misspelt_option_is_found_before_anything_is_built(option, expected):
    message = message_of('train', TINY, '--cfg-options', option)
    assert re.search(expected, message), message
    assert not os.path.exists('work_dirs') and not os.path.exists('data')


@pytest.mark.parametrize(('option', 'paths'), [
    ('data_root=elsewhere', [f'{part}_dataloader.dataset.data_root=...' for part in ('train', 'val', 'test')]),
    ('epochs=3', ['train_cfg.max_epochs=...', 'param_scheduler.total_steps=...']),
    ('train_pipeline.1.num_segments=4', ['train_dataloader.dataset.pipeline.1.num_segments=...']),
])
def test_a_variable_that_the_config_has_used_already_names_what_to_set(option, paths):
    message = message_of('train', TINY, '--cfg-options', option)
    assert all(path in message for path in paths) and 'changes nothing' in message


def test_a_stride_that_does_not_divide_the_clip_names_the_legal_ones():
    message = message_of('train', TINY, '--cfg-options', 'model.backbone.stride=3', *SMALL)
    assert 'T=8' in message and 'S=3' in message and '[2, 4, 8]' in message


def test_an_illegal_frame_size_names_the_legal_ones():
    message = message_of('train', TINY, '--cfg-options', 'train_dataloader.dataset.pipeline.3.scale=(48,48)', *SMALL)
    assert 'multiples of 32' in message and '[2, 8, 3, 48, 48]' in message and '32, 64' in message


def test_a_label_outside_the_classes_is_named_with_its_line():
    message = message_of('train', TINY, '--cfg-options', 'model.head.num_classes=4', *SMALL)
    assert 'train_list.txt, line 5: label 4' in message and 'set model.head.num_classes=8' in message


def test_a_checkpoint_of_another_model_is_refused_by_test():
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.ones(1)}), 'other.pth')
    message = message_of('test', TINY, 'other.pth', '--cfg-options', *SMALL)
    assert 'other.pth does not fit the model of this config' in message and 'No tensor fits' in message


class RunsCode:

    def __reduce__(self):
        return os.mkdir, ('made_by_a_checkpoint', )


@pytest.mark.parametrize('tool', [('test', TINY, 'code.pth'), ('train', TINY, '--resume', 'code.pth')])
def test_a_checkpoint_holding_code_is_refused(tool):
    torch.save(dict(state_dict={}, extra=RunsCode()), 'code.pth')
    message = message_of(*tool, '--cfg-options', *SMALL)
    assert 'code.pth: refused' in message and 'mkdir' in message and "torch.save({'state_dict'" in message
    assert not os.path.exists('made_by_a_checkpoint')


@pytest.mark.parametrize(('tool', 'expected'), [
    (('train', 'no/such/config.py'), 'no/such/config.py:\n  no such file'),
    (('train', TINY, '--resume', 'no_such.pth'), 'no_such.pth: no such checkpoint'),
    (('test', TINY, 'no_such.pth'), 'no_such.pth: no such checkpoint'),
    (('train', TINY, '--auto-scale-lr', '--cfg-options', 'auto_scale_lr=None'), 'needs the batch size'),
    (('train', TINY, '--amp', '--cfg-options', 'optim_wrapper.type=ApexOptimWrapper'), '--amp works with OptimWrapper'),
    (('test', TINY, 'any.pth', '--tta', '--cfg-options', 'tta_pipeline=None'), '--tta needs this test pipeline'),
    (('test', TINY, 'any.pth', '--dump', 'x.json'), 'expected a .pkl file, got x.json'),
])
def test_options_that_cannot_be_served_say_so(tool, expected):
    torch.save({}, 'any.pth')
    assert expected in message_of(*tool)


def test_a_broken_config_is_named():
    Path('broken.py').write_text('model = dict(\n')
    assert 'broken.py' in message_of('train', 'broken.py')


def test_an_option_without_a_value_is_a_usage_error(capsys):
    assert message_of('train', TINY, '--cfg-options', 'model') == '2'
    assert "expected KEY=VALUE, got 'model'" in capsys.readouterr().err


@pytest.mark.parametrize(('script', 'arguments', 'command'), [
    ('slurm_train.sh', ['gpu', 'job', 'c.py', '--amp'], 'tools/train.py c.py --launcher slurm --amp'),
    ('slurm_test.sh', ['gpu', 'job', 'c.py', 'e.pth', '--tta'], 'tools/test.py c.py e.pth --launcher slurm --tta'),
])
def test_the_slurm_scripts_start_one_task_per_gpu(tmp_path, script, arguments, command):
    (tmp_path / 'srun').write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / 'srun').chmod(0o755)
    env = dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='2', SRUN_ARGS='--mem=4G --time=1')
    done = subprocess.run(['bash', ROOT / 'tools' / script, *arguments], env=env, capture_output=True, text=True)
    assert done.stdout.strip().endswith(command), done
    assert '--partition=gpu --job-name=job --gres=gpu:2 --ntasks=2 --ntasks-per-node=2' in done.stdout
    assert '--mem=4G --time=1' in done.stdout


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'])
def test_the_scripts_say_how_they_are_used(script):
    done = subprocess.run(['bash', ROOT / 'tools' / script], capture_output=True, text=True)
    assert done.returncode == 2 and f'{script} ' in done.stderr and done.stderr.startswith('usage: bash')
