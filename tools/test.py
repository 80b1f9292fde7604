"""Test a model: python tools/test.py CONFIG CHECKPOINT [options]."""
import argparse
import os

# Before torch is imported: OpenMP threads that wait by spinning come to a crawl when another process wants the cores
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import mmengine
from mmengine.config import Config
from mmengine.dist import is_main_process
from torch import distributed

from mmspike.engine.launch import add_common_arguments, build_runner, config_of
from mmspike.utils.checkpoint import require_file
from mmspike.utils.config_check import ConfigError
from mmspike.utils.tool_errors import run_tool

TABLES = dict(AttributeMetric='_attributes', PoseMetric='_poses')  # metrics that write tables, and their endings


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a model')
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file, or its http(s) address')
    parser.add_argument('--out', metavar='FILE.json', help='write the metrics, and those of each attribute '
                        'as FILE_attributes.json and .csv, of each bin and joint of poses as FILE_poses.json and .csv')
    parser.add_argument('--dump', metavar='FILE.pkl', help='write the predictions, for evaluation elsewhere')
    parser.add_argument('--show-dir', metavar='FOLDER', help='draw tested samples into this folder')
    parser.add_argument('--interval', type=int, default=1, help='with --show-dir: draw one of so many (default: all)')
    parser.add_argument('--energy', nargs='?', type=int, const=256, metavar='SAMPLES', help='also count the operations '
                        'and estimate the energy of the first so many samples (default: %(const)s); with --out, all '
                        'figures as FILE_energy.json and .md')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation: tta_pipeline of the config')
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on the CPU')
    return parser.parse_args(argv)


def apply_args(cfg: Config, args: argparse.Namespace) -> None:
    """Writes the options into the config."""
    if '://' not in args.checkpoint:
        require_file(args.checkpoint)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.tta:
        if cfg.get('tta_pipeline') is None:
            raise ConfigError(['tta_pipeline: --tta needs this test pipeline with several clips or crops, the config '
                               'has none. Add it, see configs/_base_/datasets'], cfg.filename)
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.test_dataloader.batch_size = 1  # a video's views are a batch of their own, and may differ in number
    if args.show_dir:
        hook = cfg.get('default_hooks', {}).get('visualization')
        if hook is None:
            raise ConfigError(["default_hooks.visualization: --show-dir needs dict(type='VisualizationHook')"],
                              cfg.filename)
        hook.update(enable=True, out_dir=args.show_dir, interval=args.interval)
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list | tuple) else [cfg.test_evaluator]
    if args.out:
        if not args.out.endswith('.json'):
            raise ConfigError([f'--out: expected a .json file, got {args.out}'])
        for metric in metrics:
            if metric.type in TABLES:
                metric.setdefault('out', args.out.removesuffix('.json') + TABLES[metric.type])
    if args.energy is not None:
        out = args.out and args.out.removesuffix('.json') + '_energy'
        metrics = [*metrics, dict(type='EnergyMetric', max_samples=args.energy, out=out)]
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='EnergyHook')]
        cfg.test_evaluator = metrics
    if args.dump:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise ConfigError([f'--dump: expected a .pkl file, got {args.dump}'])
        cfg.test_evaluator = [*metrics, dict(type='DumpResults', out_file_path=args.dump)]
    if args.amp:
        cfg.test_cfg.fp16 = True


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = config_of(args)
    apply_args(cfg, args)
    metrics = build_runner(cfg).test()
    if args.out and is_main_process():
        os.makedirs(os.path.dirname(args.out) or '.', exist_ok=True)
        mmengine.dump(metrics, args.out, indent=2)
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == '__main__':
    run_tool(main)
