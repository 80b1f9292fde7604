"""Train a model: python tools/train.py CONFIG [options]."""
import argparse
import os

# Before torch is imported: OpenMP threads that wait by spinning come to a crawl when another process wants the cores
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process
from torch import distributed

from mmspike.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from mmspike.engine.launch import add_common_arguments, build_runner, load_config
from mmspike.utils.checkpoint import require_file
from mmspike.utils.config_check import ConfigError
from mmspike.utils.tool_errors import run_tool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    add_common_arguments(parser)
    parser.add_argument('--resume', nargs='?', const='auto', metavar='PATH',
                        help="go on from a checkpoint; without a path, or with 'auto', from the last of the work "
                        'directory, or from the start where there is none')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: float16 with loss scaling on a GPU, bfloat16 on the CPU')
    parser.add_argument('--no-validate', action='store_true', help='train without validating')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate by the real batch size over auto_scale_lr.base_batch_size')
    parser.add_argument('--seed', type=int, help='random seed (default: randomness.seed of the config)')
    parser.add_argument('--diff-rank-seed', action='store_true', help='another seed in each process')
    parser.add_argument('--deterministic', action='store_true', help='deterministic cuDNN, slower')
    return parser.parse_args(argv)


def apply_args(cfg: Config, args: argparse.Namespace) -> None:
    """Writes the options into the config."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise ConfigError(['auto_scale_lr: --auto-scale-lr needs the batch size that the learning rate is meant '
                               'for. Set auto_scale_lr=dict(base_batch_size=...)'], cfg.filename)
        cfg.auto_scale_lr.enable = True
    randomness = cfg.setdefault('randomness', dict(seed=None))
    if args.seed is not None:
        randomness.seed = args.seed
    if args.diff_rank_seed:
        randomness.diff_rank_seed = True
    if args.deterministic:
        randomness.deterministic = True
    if args.resume:
        resume(cfg, args.resume)


def use_amp(cfg: Config) -> None:
    """Chooses the optimiser wrapper for mixed precision on this machine's device."""
    wrapper = cfg.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError([f'optim_wrapper.type: --amp works with OptimWrapper, came {kind}'], cfg.filename)
    if get_device() == 'cpu':
        wrapper.type = 'CpuAmpOptimWrapper'
        for gpu_only in ('loss_scale', 'dtype'):
            wrapper.pop(gpu_only, None)
    else:
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')


def resume(cfg: Config, source: str) -> None:
    """Goes on from ``source``; with 'auto' from the last checkpoint, or, where there is none, starts as configured."""
    path = last_checkpoint(cfg.work_dir) if source == 'auto' else require_file(source)
    if path is None:
        print(f'--resume: no checkpoint in {cfg.work_dir}, the training starts from the beginning.')
    else:
        cfg.resume, cfg.load_from = True, str(path)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = load_config(args)
    apply_args(cfg, args)
    build_runner(cfg).train()
    if is_main_process():
        print(f'Done. Checkpoints and logs are in {cfg.work_dir}.')
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == '__main__':
    run_tool(main)
