"""Every config loads, names nothing that does not exist, says in its docstring what it is, and is short."""
import ast
import copy
import functools
import importlib.util
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from mmspike.utils.config_check import ConfigError, check_config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'
FILES = sorted(CONFIGS.rglob('*.py'))
LEAVES = [file for file in FILES if '_base_' not in file.parts]
LINES = range(5, 41)  # its docstring counted


def name_of(file):
    return str(file.relative_to(CONFIGS))


def test_there_are_configs():
    assert LEAVES


@pytest.mark.parametrize('file', FILES, ids=name_of)
def test_docstring_says_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text()))


@pytest.mark.parametrize('file', LEAVES, ids=name_of)
def test_config_loads_and_names_nothing_that_does_not_exist(file):
    cfg = Config.fromfile(file)
    assert cfg.default_scope == 'mmspike'
    check_config(cfg)


@pytest.mark.parametrize('file', LEAVES, ids=name_of)
def test_leaf_is_short(file):
    assert len(file.read_text().splitlines()) in LINES


@pytest.mark.parametrize('file', LEAVES, ids=name_of)
def test_pipelines_live_in_base(file):
    assigned = {target.id for node in ast.parse(file.read_text()).body if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)}
    assert not {name for name in assigned if name.endswith('pipeline')}, 'put it into _base_/datasets'


@pytest.mark.parametrize('file', sorted((CONFIGS / '_base_').rglob('*.py')), ids=name_of)
def test_base_holds_no_address_of_weights(file):
    source = file.read_text()
    assert 'http' not in source.replace(ast.get_docstring(ast.parse(source)) or '', '') and '://' not in source


@pytest.mark.parametrize('file', sorted((CONFIGS / '_base_/models').glob('*.py')), ids=name_of)
def test_base_model_builds(file):
    cfg = Config.fromfile(file)
    check_config(Config(dict(default_scope='mmspike', model=cfg.model)))
    with DefaultScope.overwrite_default_scope('mmspike'):
        model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.parameters()) > 0


def paths_in(node, path=()):
    """The path of every key of a config."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, child in children:
        yield from [(*path, key)] if isinstance(node, dict) else []
        yield from paths_in(child, (*path, key))


def misspelt(cfg, path):
    """A copy of a config whose key at ``path`` lacks its second letter; a type lacks it in its value."""
    cfg = copy.deepcopy(cfg)
    *parents, last = path
    node = functools.reduce(lambda part, key: part[key], parents, cfg)
    if last == 'type':
        node[last] = f'{node[last][:-2]}{node[last][-1]}'
    else:
        items = [(key[:1] + key[2:] if key == last and len(key) > 2 else f'{key}e' if key == last else key, value)
                 for key, value in node.items()]
        node.clear()
        node.update(items)
    return cfg


def test_no_misspelling_in_a_real_config_goes_unnoticed():
    cfg = Config.fromfile(CONFIGS / 'respike/respike_r18_synthetic.py')._cfg_dict.to_dict()
    free = {'data_root', 'epochs', 'train_pipeline', 'test_pipeline'}  # variables, whose values are checked where used
    own_names = {('default_hooks', name) for name in cfg['default_hooks']}  # a user may add others
    unnoticed = []
    for path in paths_in(cfg):
        if path[0] not in free and path not in own_names:
            try:
                check_config(misspelt(cfg, path))
            except ConfigError:
                continue
            unnoticed.append('.'.join(map(str, path)))
    assert unnoticed == []


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f'tools/analysis_tools/{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_verify_configs_names_the_bad_ones_and_goes_on(tmp_path, capsys):
    (tmp_path / '_base_').mkdir()
    (tmp_path / '_base_/part.py').write_text("trian_cfg = dict(by_epoch=True)\n")
    (tmp_path / 'a_good.py').write_text("default_scope = 'mmengine'\nrandomness = dict(seed=1)\n")
    (tmp_path / 'b_bad.py').write_text("default_scope = 'mmengine'\nrandomness = dict(sead=1)\n")
    (tmp_path / 'c_unreadable.py').write_text("_base_ = 'not_there.py'\n")
    (tmp_path / 'd_inherits.py').write_text("_base_ = '_base_/part.py'\n")
    assert tool('verify_configs').main([str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == '1 of 4 configs are in order\n'
    assert "b_bad.py:\n  randomness.sead: randomness has no argument 'sead' (came 1). Did you mean 'seed'?" in err
    assert 'c_unreadable.py cannot be read: FileNotFoundError' in err
    assert 'd_inherits.py:\n  trian_cfg: nothing reads this key' in err
    assert tool('verify_configs').main([str(tmp_path / 'a_good.py')]) == 0


def test_verify_configs_without_any_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool('verify_configs').main([str(tmp_path)])
    assert f'no config in {tmp_path}' in capsys.readouterr().err


def test_print_config_resolves_and_saves(tmp_path, capsys):
    (tmp_path / 'base.py').write_text("default_scope = 'mmengine'\nrandomness = dict(seed=1, deterministic=True)\n")
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\nrandomness = dict(seed=2)\n")
    saved = tmp_path / 'out/full.py'
    options = ['--cfg-options', 'randomness.seed=3', '--save', str(saved)]
    assert tool('print_config').main([str(tmp_path / 'leaf.py'), *options]) == 0
    assert 'randomness = dict(deterministic=True, seed=3)' in capsys.readouterr().out
    assert Config.fromfile(saved).randomness == dict(seed=3, deterministic=True)


def test_print_config_warns_of_a_misspelt_override(tmp_path, capsys):
    (tmp_path / 'a.py').write_text("default_scope = 'mmengine'\n")
    assert tool('print_config').main([str(tmp_path / 'a.py'), '--cfg-options', 'randomness.sead=3']) == 1
    assert "Did you mean 'seed'?" in capsys.readouterr().err
