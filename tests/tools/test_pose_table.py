"""Pose models side by side."""
import csv
import importlib.util
import json
from functools import partial
from pathlib import Path

import pytest

from mmspike.utils.tool_errors import run_tool

ROOT = Path(__file__).resolve().parents[2]


def tool():
    spec = importlib.util.spec_from_file_location('pose_table', ROOT / 'tools/analysis_tools/pose_table.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(folder, name, errors, **held):
    """What PoseMetric writes."""
    bins = [dict(bin=t + 1, ms=10. * (t + 1), mpjpe=error, pck=1., **{key: value + t for key, value in held.items()})
            for t, error in enumerate(errors)]
    joints = [dict(joint=joint, poses=3, mpjpe=1.5, pck=1., **held) for joint in ('head', 'handR')]
    figures = dict(mpjpe=sum(e for e in errors if e is not None) / len(errors), mpjpe_3d=30., **held)
    path = folder / f'{name}_poses.json'
    path.write_text(json.dumps(dict(windows=3, figures=figures, bins=bins, joints=joints)))
    return f'{name}={path}'


def test_table_and_chart(tmp_path, capsys):
    given = [results(tmp_path, 'hybrid', [1., 1.25], hold=2.), results(tmp_path, 'SNN', [7., None])]
    tool().main([*given, '--out-dir', str(tmp_path / 'out')])
    printed = capsys.readouterr().out
    assert '| hybrid       |     1.12 |     30.0 | 1.00 | 1.25 |' in printed
    assert '| hybrid, held |     2.00 |        - | 2.00 | 3.00 |' in printed
    assert '| SNN          |     3.50 |     30.0 | 7.00 |    - |' in printed
    assert (tmp_path / 'out/table.md').read_text().strip() in printed
    with open(tmp_path / 'out/joints.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['model'] for row in rows] == ['hybrid', 'hybrid, held', 'SNN'] and rows[0]['handR'] == '1.5'
    assert (tmp_path / 'out/error_over_time.png').stat().st_size > 5000


def test_a_file_of_something_else_is_named(tmp_path, capsys):
    (tmp_path / 'metrics.json').write_text('{"pose/mpjpe": 1.0}')
    with pytest.raises(ValueError, match=r"holds \['pose/mpjpe'\], expected the bins and joints that PoseMetric"):
        tool().main([f'a={tmp_path / "metrics.json"}', '--out-dir', str(tmp_path)])
    with pytest.raises(ValueError, match='expected NAME=FILE.json'):
        tool().main([str(tmp_path / 'metrics.json'), '--out-dir', str(tmp_path)])
    (tmp_path / 'a_poses.csv').write_text('bin,ms')
    with pytest.raises(ValueError, match=r'a_poses.csv is not JSON .* expected the file that ends with _poses.json'):
        tool().main([f'a={tmp_path / "a_poses.csv"}', '--out-dir', str(tmp_path)])


def test_a_mistake_ends_with_a_message(tmp_path):
    with pytest.raises(SystemExit, match=r'Error: gone.json: no such file; tools/test.py .* writes results/a_poses'):
        run_tool(partial(tool().main, ['a=gone.json', '--out-dir', str(tmp_path)]))


def test_error_against_energy(tmp_path):
    given = [results(tmp_path, 'hybrid', [1., 1.25]), results(tmp_path, 'SNN', [7., 6.])]
    out = ['--out-dir', str(tmp_path / 'out')]
    tool().main([*given, *out, '--energy', 'hybrid=42', 'SNN=5.5'])
    assert (tmp_path / 'out/error_against_energy.png').stat().st_size > 5000
    for wrong in ('cnn=4', 'hybrid=much'):
        with pytest.raises(ValueError, match=rf"--energy '{wrong}': expected NAME=NUMBER with one of the names hybrid"):
            tool().main([*given, *out, '--energy', wrong])
