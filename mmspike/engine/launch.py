"""What ``tools/train.py`` and ``tools/test.py`` have in common: arguments, config, process group, Runner."""
import argparse
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmspike.utils import compat
from mmspike.utils.config_check import ConfigError, check_config


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``config`` and the options of every tool that builds a Runner."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/<config name>)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=_CfgOptions, metavar='KEY=VALUE',
        help='settings that go over those of the config: train_dataloader.batch_size=8 '
        'model.backbone.ann.init_cfg=None key=a,b key="[(a,b),(c,d)]"')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='what started the processes; tools/dist_train.sh and tools/dist_test.sh set it')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help='set by the launcher')


class _CfgOptions(DictAction):
    """mmengine's parser of ``key=value``, which takes an option without ``=`` for a crash."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            if '=' not in value:
                parser.error(f'argument --cfg-options: expected KEY=VALUE, got {value!r}')
        super().__call__(parser, namespace, values, option_string)


def load_config(args: argparse.Namespace) -> Config:
    """Reads the config of the common arguments, with ``--cfg-options`` merged.

    Raises:
        ConfigError: no such file, it is no valid config, or an option that would change nothing.
    """
    compat.apply()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not os.path.isfile(args.config):
        raise ConfigError([f'no such file (from {os.getcwd()}). The configs are in configs/*/*.py'], args.config)
    try:
        cfg = Config.fromfile(args.config)
    except Exception as error:
        raise ConfigError([f'{type(error).__name__}: {error}'], args.config) from error
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', Path(args.config).stem)
    if args.cfg_options is not None:
        _refuse_spent_variables(cfg, args.cfg_options)
        try:
            cfg.merge_from_dict(args.cfg_options)
        except (KeyError, TypeError, IndexError) as error:
            raise ConfigError([f'--cfg-options {error}'], args.config) from error
    return cfg


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


def build_runner(cfg: Config) -> Runner:
    """Checks the whole config, then opens the process group and builds the Runner.

    Raises:
        ConfigError: see :func:`mmspike.utils.config_check.check_config`.
    """
    check_config(cfg)
    compat.init_cpu_distributed(cfg)
    return Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)
