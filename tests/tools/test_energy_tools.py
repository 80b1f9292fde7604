"""tools/analysis_tools/report_energy.py and sweep_timesteps.py, and the benchmark of the monitor, on tiny models."""
import importlib
import json
import runpy

import cv2
import pytest
import torch
from mmengine import Config

from mmspike.registry import MODELS


@pytest.fixture
def tiny(root, tmp_path):
    """Config and checkpoint of a student that has learned nothing, on a few drawn pedestrians."""
    path = tmp_path / 'tiny.py'
    sizes = dict(data_root=str(tmp_path / 'set'), num_images=dict(train=1, val=1, test=4))
    path.write_text(f"""_base_ = ['{root}/configs/snn_par/snn_par_synthetic.py']
sizes = {sizes!r}
test_dataloader = dict(batch_size=2, num_workers=0, dataset=sizes)
model = dict(backbone=dict(arch=dict(embed_dims=16, num_heads=2)), head=dict(in_channels=16))
""")
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(path).model).state_dict(), meta={}), tmp_path / 'tiny.pth')
    return path, tmp_path / 'tiny.pth'


def run(root, tool, *arguments):
    runpy.run_path(str(root / f'tools/analysis_tools/{tool}.py'))['main']([*map(str, arguments)])


def test_report_of_a_checkpoint(root, tiny, tmp_path, capsys):
    config, checkpoint = tiny
    run(root, 'report_energy', config, checkpoint, '--samples', 3, '--out-dir', tmp_path / 'out', '--compare', config)
    figures = json.loads((tmp_path / 'out/report.json').read_text())
    assert figures['samples'] == 3 and figures['warnings'] == [] and figures['coverage']['share'] > 0.99
    assert figures['provenance']['checkpoint'].startswith(f'{checkpoint} (sha256: ')
    assert figures['provenance']['data'].startswith('test: SyntheticPedestrians')
    assert [c['name'] for c in figures['compared']] == ['tiny (random weights)']
    assert figures['model']['still'] == 4 and figures['operations']['acs']['std'] is not None
    assert (tmp_path / 'out/report.html').read_text().startswith('<!doctype html>')
    assert '3 samples: ' in capsys.readouterr().out


def test_random_weights_and_noise_are_called_that(root, tiny, tmp_path):
    run(root, 'report_energy', tiny[0], '--random-input', '3x64x32', '--samples', 1, '--out-dir', tmp_path / 'out',
        '--models', '7nm-fp32')
    figures = json.loads((tmp_path / 'out/report.json').read_text())
    assert [warning.split(':')[0] for warning in figures['warnings']] == ['Random weights', 'Random input']
    assert [model['name'] for model in figures['energy']] == ['7nm-fp32']
    assert 'Random weights · Random input' in (tmp_path / 'out/report.html').read_text()


def test_what_cannot_be_reported(root, tiny, tmp_path):
    with pytest.raises(ValueError, match="no energy model is called '7nm-fp23'. Did you mean '7nm-fp32'"):
        run(root, 'report_energy', tiny[0], '--models', '7nm-fp23')
    with pytest.raises(ValueError, match='NVML measures NVIDIA GPUs. Add --device cuda'):
        run(root, 'report_energy', tiny[0], '--random-input', '3x32x16', '--samples', 1, '--measure-gpu')
    with pytest.raises(SystemExit):
        run(root, 'report_energy', tiny[0], '--samples', 0)


def test_sweep_over_steps(root, tiny, tmp_path, capsys):
    run(root, 'sweep_timesteps', *tiny, '--steps', 1, 3, '--samples', 2, '--timed', 2, '--out-dir', tmp_path / 'out',
        '--work-dir', tmp_path / 'work')
    content = json.loads((tmp_path / 'out/sweep.json').read_text())
    assert [row['steps'] for row in content['rows']] == [1, 3] and content['metric'] == 'par/mA'
    assert all(row['latency_s'] > 0 and row['figures']['energy/mj'] > 0 for row in content['rows'])
    assert cv2.imread(str(tmp_path / 'out/sweep.png')).std() > 0
    assert 'energy, mJ' in capsys.readouterr().out


def test_models_whose_input_brings_the_steps_have_none_to_sweep(root):
    tool = runpy.run_path(str(root / 'tools/analysis_tools/sweep_timesteps.py'))
    with pytest.raises(ValueError, match='no part of this model has a num_steps'):
        tool['parts_with_steps'](torch.nn.Linear(1, 1))


def test_benchmark_of_the_monitor(root, monkeypatch):
    monkeypatch.syspath_prepend(root / 'benchmarks')
    benchmark = importlib.import_module('spike_monitor')
    assert benchmark.share(dict(plain=[2., 2.], watched=[3., 3.]), 50) == pytest.approx(0.01)
    from argparse import Namespace
    seconds = benchmark.measure('snn_par/snn_par_synthetic.py', (1, 3, 32, 16), Namespace(rounds=2, batch=1))
    assert len(seconds['plain']) == len(seconds['watched']) == 2 and min(seconds['watched']) > 0
