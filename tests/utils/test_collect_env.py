"""What would not work is named with what to do about it; made-up environments stand in for broken ones."""
import subprocess
import sys

import pytest

from mmspike.utils import environment
from mmspike.utils.collect_env import findings, report
from mmspike.utils.environment import Environment, collect

GOOD = {'torch': '2.15.0', 'torchvision': '0.29.2', 'numpy': '2.4.6', 'mmengine': '0.10.7', 'mmpretrain': '1.2.0',
        'mmaction2': '1.1.0', 'spikingjelly': '2.0.0', 'scipy': '1.17.1', 'tensorboard': '2.21.0', 'mmcv-lite': '2.0.1',
        'opencv-python': '5.0.0.93', 'opencv-contrib-python': '5.0.0.93', 'decord': '0.6.0', 'av': '18.1.0',
        'triton': '3.9.0', 'setuptools': '81.0.0'}


def machine(without=(), versions=None, **facts):
    facts = dict(dict(cuda='13.2', gpus=['H200'], driver=True, compiler='g++ 12', python='3.11.7'), **facts)
    return Environment({k: v for k, v in {**GOOD, **(versions or {})}.items() if k not in without}, **facts)


def test_good_machine_has_nothing_to_report():
    assert findings(machine()) == ([], [])
    assert report(machine()).endswith('\n\nNothing stands in the way.')


PROBLEMS = {
    'Python': (machine(python='3.10.1'), 'Python 3.10.1: 3.11 or later is needed', 'Make an environment with it'),
    'missing libraries': (machine(without=['scipy', 'tensorboard']), 'not installed: scipy, tensorboard',
                          '`pip install scipy tensorboard`'),
    'old torch': (machine(versions={'torch': '2.5.1+cu121', 'torchvision': '0.20.1+cu121'}),
                  'torch 2.5.1+cu121: 2.6 or later is needed', "`pip install -U 'torch>=2.6' torchvision`"),
    'torchvision of another torch': (machine(requirements={'torchvision': ['numpy', 'torch==2.14.0']}),
                                     'torch 2.15.0 beside torchvision 0.29.2: torchvision asks for torch==2.14.0',
                                     '`pip install --force-reinstall torch torchvision`'),
    'torch for the CPU, torchvision not': (machine(versions={'torch': '2.15.0+cpu'}),
                                           'torch 2.15.0+cpu beside torchvision 0.29.2: they are builds for different '
                                           'devices', '`pip install --force-reinstall torch torchvision`'),
    'mmcv beside mmcv-lite': (machine(versions={'mmcv': '2.0.1'}),
                              'mmcv 2.0.1 and mmcv-lite 2.0.1 are installed into the same folder',
                              '`pip uninstall -y mmcv mmcv-lite`, then `pip install mmcv-lite==2.0.1`'),
    'no mmcv': (machine(without=['mmcv-lite']), 'mmcv is not installed', '`pip install mmcv-lite==2.0.1`'),
    'new mmcv': (machine(versions={'mmcv-lite': '2.1.0'}), 'mmcv-lite 2.1.0: mmaction2 1.1.0 refuses mmcv >= 2.1',
                 '`pip install mmcv-lite==2.0.1`'),
    'mmaction2 1.2': (machine(versions={'mmaction2': '1.2.0'}, mmaction_drn=False),
                      'mmaction2 1.2.0: its wheel lacks mmaction.models.localizers.drn',
                      '`pip install mmaction2==1.1.0`'),
    'old spikingjelly': (machine(versions={'spikingjelly': '0.0.0.0.14'}),
                         'spikingjelly 0.0.0.0.14: the adapter', "`pip install 'spikingjelly>=2,<3'`"),
    'mixed OpenCV': (machine(versions={'opencv-python': '4.9.0.80'}),
                     'opencv-python 4.9.0.80, opencv-contrib-python 5.0.0.93 share the folder cv2 and differ',
                     '`pip install opencv-python==5.0.0.93 opencv-contrib-python==5.0.0.93`'),
    'no OpenCV': (machine(without=['opencv-python', 'opencv-contrib-python']), 'OpenCV is not installed',
                  '`pip install opencv-python`'),
    'GPU and a torch for the CPU': (
        machine(cuda=None, gpus=[]), 'there is an NVIDIA driver, but torch is a build for the CPU',
        '`pip install --force-reinstall torch torchvision`'),
    'GPU and an old driver': (machine(gpus=[]), 'there is an NVIDIA driver, but torch for CUDA 13.2 sees no GPU',
                              'update the driver, or take a torch for that CUDA'),
    'a library that breaks': (machine(import_errors={'torchvision': 'RuntimeError: operator nms does not exist'}),
                              'installed but not importable: torchvision (RuntimeError: operator nms does not exist)',
                              'reinstall what still fails'),
    'OpenCV without libGL': (machine(import_errors={'cv2': 'ImportError: libGL.so.1: cannot open shared object file'}),
                             'installed but not importable: cv2 (ImportError: libGL.so.1', '`apt install libgl1`'),
}


@pytest.mark.parametrize('env, problem, advice', PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_would_not_work_is_named_with_advice(env, problem, advice):
    problems, notes = findings(env)
    assert len(problems) == 1 and not notes
    assert problems[0].startswith(problem) and advice in problems[0]
    assert f'\n\nWould not work:\n- {problems[0]}' in report(env)


NOTES = {
    'setuptools 82': (machine(versions={'setuptools': '82.0.1'}), 'setuptools has no pkg_resources',
                      "`pip install 'setuptools<82'`"),
    'no GPU': (machine(gpus=[], driver=False, cuda=None), 'no GPU: all runs on the CPU', 'the synthetic configs'),
    'no triton': (machine(without=['triton']), 'no triton', '`pip install triton`'),
    'no compiler': (machine(compiler=None), 'no C++ compiler', '`apt install g++`'),
    'no decord': (machine(without=['decord']), "without decord there is no VideoInit(backend='decord')",
                  '`pip install decord`'),
    'no decoders': (machine(without=['decord', 'av']), 'without decord and av there is no', '`pip install decord av`'),
}


@pytest.mark.parametrize('env, note, advice', NOTES.values(), ids=NOTES.keys())
def test_what_is_good_to_know_does_not_stand_in_the_way(env, note, advice):
    problems, notes = findings(env)
    assert len(notes) == 1 and not problems
    assert notes[0].startswith(note) and advice in notes[0]


def test_hidden_gpus_and_a_full_mmcv_alone_are_no_problems():
    assert findings(machine(gpus=[], variables={'CUDA_VISIBLE_DEVICES': '-1'})) == ([], [])
    assert findings(machine(without=['mmcv-lite'], versions={'mmcv': '2.0.1'})) == ([], [])


def test_broken_and_absent_libraries_are_told_apart(tmp_path, monkeypatch):
    (tmp_path / 'breaks_on_import.py').write_text('raise OSError("libGL.so.1: cannot open\\nmore")\n')
    (tmp_path / 'needs_something.py').write_text('import something_that_is_not_there\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(environment, 'IMPORTED', ('breaks_on_import', 'needs_something', 'not_there_at_all'))
    assert collect().import_errors == {'breaks_on_import': 'OSError: libGL.so.1: cannot open',
                                       'needs_something': "No module named 'something_that_is_not_there'"}


def test_command_line_lists_this_machine():
    command = [sys.executable, '-m', 'mmspike.utils.collect_env']
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    problems, _ = findings(collect())
    assert run.returncode == (1 if problems else 0), run.stderr
    for name in ('python', 'torch', 'mmengine', 'mmpretrain', 'mmaction2', 'GPU', 'CPU cores', 'C++ compiler'):
        assert f'\n{name} ' in f'\n{run.stdout}'
