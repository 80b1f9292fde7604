"""The script of all stages trains, tests and compares them, each with the options that it is given."""
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

STUB = """
import json, sys
from pathlib import Path
with open('calls.jsonl', 'a') as log:
    log.write(json.dumps([Path(sys.argv[0]).stem, *sys.argv[1:]]) + chr(10))
if '--resume' in sys.argv:
    folder = Path(sys.argv[sys.argv.index('--work-dir') + 1])
    folder.mkdir(parents=True)
    (folder / 'last_checkpoint').write_text(f'{folder}/epoch_2.pth')
"""


def test_stages_in_order_and_their_options(root, tmp_path):
    tools = tmp_path / 'tools'
    (tools / 'analysis_tools').mkdir(parents=True)
    shutil.copy(root / 'tools/train_pose_stages.sh', tools)
    for name in ('train', 'test', 'analysis_tools/pose_table'):
        (tools / f'{name}.py').write_text(STUB)
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    command = ['bash', 'tools/train_pose_stages.sh', 'dhp19', '--cfg-options', 'test_dataloader.dataset.data_root=far']
    subprocess.run(command, cwd=tmp_path, env=dict(os.environ, PATH=path), check=True)
    calls = [json.loads(line) for line in (tmp_path / 'calls.jsonl').read_text().splitlines()]
    assert [call[0] for call in calls] == ['train', 'test'] * 3 + ['pose_table']
    for stage, train, test in zip(('cnn', 'snn', 'cnn-snn'), calls[:6:2], calls[1:6:2], strict=True):
        name = f'hybrid_pose_{stage}_dhp19'
        assert train[1] == f'tools/../configs/hybrid_pose/{name}.py' and (root / train[1]).is_file()
        assert train[-2:] == command[-2:]  # and in the config that the training leaves, with which it is tested
        assert test[1:3] == [f'work_dirs/{name}/{name}.py', f'work_dirs/{name}/epoch_2.pth']
        assert f'{stage}=work_dirs/hybrid_pose_dhp19/{stage}_poses.json' in calls[-1]
    parts = Config.fromfile(root / 'configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19.py')
    parse_args = runpy.run_path(str(root / 'tools/train.py'))['parse_args']
    args = parse_args([parts.filename, *calls[4][2:]])  # the last stage begins with what the others ended with
    parts.merge_from_dict(args.cfg_options)
    assert parts.model.cnn.init_cfg.checkpoint == 'work_dirs/hybrid_pose_cnn_dhp19/epoch_2.pth'
    assert parts.model.network.init_cfg.checkpoint == 'work_dirs/hybrid_pose_snn_dhp19/epoch_2.pth'
    assert parts.test_dataloader.dataset.data_root == 'far' and '--cfg-options' not in calls[0][:-2]


def test_without_a_data_set_it_says_how_to_call_it(root):
    run = subprocess.run(['bash', root / 'tools/train_pose_stages.sh'], capture_output=True, text=True)
    assert run.returncode == 2 and 'synthetic|dhp19|h36m' in run.stderr
