"""Reads configs and the options put over them: the one way in for the tools, the apis and the demo."""
import argparse
import copy
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from mmspike.utils import compat
from mmspike.utils.config_check import ConfigError


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``, whose value is what :func:`load_config` takes."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=_CfgOptions, metavar='KEY=VALUE',
        help='settings that go over those of the config: train_dataloader.batch_size=8 '
        'model.backbone.ann.init_cfg=None key=a,b key="[(a,b),(c,d)]"')


class _CfgOptions(DictAction):
    """mmengine's parser of ``key=value``, which ends in a crash on an option without ``=`` or with a bracket open."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            if '=' not in value:
                parser.error(f'argument --cfg-options: expected KEY=VALUE, got {value!r}')
        try:
            super().__call__(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f'argument --cfg-options: {error}')


def load_config(config: str | Path | Config, cfg_options: dict | None = None) -> Config:
    """A config with options put over it; names without a prefix are ours where it does not say whose.

    Args:
        config: Path of a config, or a loaded one (left as it is).
        cfg_options: Dotted path -> value.

    Raises:
        ConfigError: no such file, it is no valid config, or an option that fits nowhere or would change nothing.
    """
    compat.apply()
    cfg = copy.deepcopy(config) if isinstance(config, Config) else _read(config)
    if cfg_options:
        _refuse_spent_variables(cfg, cfg_options)
        try:
            cfg.merge_from_dict(cfg_options)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise ConfigError([f'--cfg-options: {error.args[0] if error.args else error}'], cfg.filename) from error
    cfg.setdefault('default_scope', 'mmspike')
    return cfg


def _read(path: str | Path) -> Config:
    if not os.path.isfile(path):
        raise ConfigError([f'no such file (from {os.getcwd()}). The configs are in configs/*/*.py'], str(path))
    try:
        return Config.fromfile(path)
    except Exception as error:
        raise ConfigError([f'{type(error).__name__}: {error}'], str(path)) from error


def _refuse_spent_variables(cfg: Config, options: dict) -> None:
    """``data_root=...`` on the command line would change a name that the config has used already, in silence."""
    of_runner = inspect.signature(Runner.__init__).parameters
    problems = []
    for option in options:
        name, _, rest = option.partition('.')
        value = cfg.get(name)
        if name in of_runner or value is None or isinstance(value, bool):
            continue
        used = [path for key in cfg if key != name for path in _paths_of(cfg[key], value, key)]
        if used:
            where = ' '.join(f'{path}{"." if rest else ""}{rest}=...' for path in used)
            problems.append(f'--cfg-options {option}: a variable that the config has used already when it was read, '
                            f'so that setting it changes nothing. Set what has its value: {where}')
    if problems:
        raise ConfigError(problems, cfg.filename)


def _paths_of(tree: Any, value: Any, path: str) -> Iterator[str]:
    """Dotted paths inside ``tree`` that hold ``value``."""
    if type(tree) is type(value) and tree == value:
        yield path
    elif isinstance(tree, dict):
        for key, part in tree.items():
            yield from _paths_of(part, value, f'{path}.{key}')
    elif isinstance(tree, list | tuple):
        for index, part in enumerate(tree):
            yield from _paths_of(part, value, f'{path}.{index}')
