"""What ``tools/train.py`` and ``tools/test.py`` have in common: arguments, config, process group, Runner."""
import argparse
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmspike.utils import compat
from mmspike.utils.config import add_cfg_options, load_config
from mmspike.utils.config_check import check_config


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``config`` and the options of every tool that builds a Runner."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/<config name>)')
    add_cfg_options(parser)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='what started the processes; tools/dist_train.sh and tools/dist_test.sh set it')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help='set by the launcher')


def config_of(args: argparse.Namespace) -> Config:
    """The config of the common arguments, with ``--cfg-options`` merged.

    Raises:
        ConfigError: see :func:`mmspike.utils.config.load_config`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', Path(args.config).stem)
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Checks the whole config, then opens the process group and builds the Runner.

    Raises:
        ConfigError: see :func:`mmspike.utils.config_check.check_config`.
    """
    check_config(cfg)
    _drop_worker_settings(cfg)
    compat.init_cpu_distributed(cfg)
    return Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


def _drop_worker_settings(cfg: Config) -> None:
    """``num_workers=0`` alone shall do: torch refuses settings of workers where there are none."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loaders = cfg.get(name) or []
        for loader in [loaders] if isinstance(loaders, dict) else loaders:
            idle = [key for key in ('persistent_workers', 'prefetch_factor') if loader.get(key)]
            if idle and loader.get('num_workers', 0) == 0:
                for key in idle:
                    loader.pop(key)
                print_log(f'{name}: num_workers=0, so {" and ".join(idle)} of the config is left out.', 'current')
