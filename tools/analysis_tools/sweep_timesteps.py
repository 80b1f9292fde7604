"""Accuracy, latency and estimated energy of a trained model over its number of time steps T, chosen at test time.

    python tools/analysis_tools/sweep_timesteps.py CONFIG CHECKPOINT --steps 1 2 3 4 6 --out-dir sweep

For models that choose T themselves (``num_steps``, as Spikingformer): no retraining, the same weights. Tests the
config's test set once per T, with the energy of its first samples, and times single samples. Writes ``sweep.json`` and
``sweep.png``. Latencies are measured on this machine, energies are estimates.
"""
import argparse
import json
import os
import statistics
import time
from pathlib import Path

# Before torch is imported: OpenMP threads that wait by spinning come to a crawl when another process wants the cores
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import torch
from matplotlib.figure import Figure
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from torch import nn

from mmspike.engine.launch import add_common_arguments, build_runner, config_of
from mmspike.utils.checkpoint import require_file
from mmspike.utils.tool_errors import run_tool

COLOUR = '#0f766e'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--steps', nargs='+', type=int, default=[1, 2, 3, 4, 6, 8], help='values of T')
    parser.add_argument('--samples', type=int, default=64, help='of the energy (default: %(default)s)')
    parser.add_argument('--timed', type=int, default=16, help='samples that are timed (default: %(default)s)')
    parser.add_argument('--metric', help='figure to draw, such as par/mA (default: the first)')
    parser.add_argument('--out-dir', type=Path, default=Path('sweep'), help='folder to write (default: %(default)s)')
    args = parser.parse_args(argv)
    if min(args.steps) < 1:
        parser.error(f'argument --steps: expected whole numbers from 1, got {min(args.steps)}')
    return args


def parts_with_steps(model: nn.Module) -> list[nn.Module]:
    """The modules that choose T."""
    found = [module for module in model.modules() if isinstance(getattr(module, 'num_steps', None), int)]
    if not found:
        raise ValueError(f'{type(model).__name__}: no part of this model has a num_steps. T can be chosen where the '
                         'model repeats a still input (Spikingformer); here the input brings its time steps: change '
                         'them in the pipelines, and compare with report_energy.py.')
    return found


@torch.no_grad()
def latency(runner: Runner, count: int) -> dict[str, float]:
    """Seconds of one sample, batch size 1, without loading the data: the least, which other programs disturb least."""
    model, dataset = runner.model, runner.test_dataloader.dataset
    model.eval()
    seconds = []
    for index in range(min(count, len(dataset)) + 1):  # the first one warms up
        data = model.data_preprocessor(pseudo_collate([dataset[index % len(dataset)]]), False)
        start = time.perf_counter()
        model(**data, mode='predict')
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return dict(latency_s=min(seconds[1:]), latency_median_s=statistics.median(seconds[1:]))


def sweep(args: argparse.Namespace) -> list[dict]:
    cfg = config_of(args)
    cfg.load_from, cfg.resume = str(require_file(args.checkpoint)), False
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list | tuple) else [cfg.test_evaluator]
    cfg.test_evaluator = [*metrics, dict(type='EnergyMetric', max_samples=args.samples)]
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='EnergyHook')]
    runner = build_runner(cfg)
    parts, rows = parts_with_steps(runner.model), []
    for steps in args.steps:
        for part in parts:
            part.num_steps = steps
        figures = {name: float(value) for name, value in runner.test().items()}
        rows.append(dict(steps=steps, **latency(runner, args.timed), figures=figures))
    return rows


def draw(rows: list[dict], metric: str) -> Figure:
    """Three diagrams over T."""
    figure = Figure(figsize=(10.5, 3.1), layout='constrained')
    steps = [row['steps'] for row in rows]
    curves = ((metric, [row['figures'][metric] for row in rows]),
              ('latency of one sample, ms (measured)', [1000 * row['latency_s'] for row in rows]),
              ('energy of one sample, mJ (estimate)', [row['figures']['energy/mj'] for row in rows]))
    for axes, (name, values) in zip(figure.subplots(1, 3), curves, strict=True):
        axes.plot(steps, values, marker='o', color=COLOUR, linewidth=1.4)
        axes.set_xlabel('time steps T')
        axes.set_title(name, fontsize=9)
        axes.set_xticks(steps)
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
        if name != metric:
            axes.set_ylim(0, 1.1 * max(values))
    return figure


def chosen_metric(rows: list[dict], name: str | None) -> str:
    known = [key for key in rows[0]['figures'] if not key.startswith('energy/')]
    if name is not None and name not in known:
        raise ValueError(f'--metric {name}: the test gives {", ".join(known)}')
    return name or known[0]


def table(rows: list[dict], metric: str) -> str:
    lines = [f'{"T":>3}  {metric:>12}  latency, ms  energy, mJ  multiply-accumulates, M  accumulates, M   rate']
    for row in rows:
        figures = row['figures']
        lines.append(f'{row["steps"]:>3}  {figures[metric]:>12.4f}  {1000 * row["latency_s"]:>11.2f}  '
                     f'{figures["energy/mj"]:>10.4g}  {1000 * figures["energy/gmac"]:>23.4g}  '
                     f'{1000 * figures["energy/gac"]:>14.4g}  {figures["energy/rate"]:>5.3f}')
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    rows = sweep(args)
    metric = chosen_metric(rows, args.metric)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    (args.out_dir / 'sweep.json').write_text(json.dumps(dict(
        config=args.config, checkpoint=args.checkpoint, metric=metric, threads=torch.get_num_threads(), rows=rows),
        indent=1) + '\n', encoding='utf-8')
    draw(rows, metric).savefig(args.out_dir / 'sweep.png', dpi=130)
    print(table(rows, metric))
    print(f'written to {args.out_dir}: sweep.json, sweep.png')


if __name__ == '__main__':
    run_tool(main)
