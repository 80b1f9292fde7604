"""What SpikeMonitorHook costs: a training step as ever, and one that it watches.

    python benchmarks/spike_monitor.py [--out benchmarks/spike_monitor.json]

Training steps (forward, loss, backward) of the small models of the synthetic configs, one thread, fp32, watched and
unwatched taking turns. The hook watches one step out of its interval, so its share of the training time is the
difference, over the interval, over the step.
"""
import argparse
import inspect
import json
import statistics
from functools import partial
from pathlib import Path

import torch
from measuring import hardware, wall_and_cpu
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
MODELS = {  # config, shape of a batch of noise
    'ReSpike, width 16, 16 clips': ('respike/respike_r18_synthetic.py', (16, 8, 3, 64, 64)),
    'Spikingformer, width 64, 32 images': ('snn_par/snn_par_synthetic.py', (32, 3, 128, 64)),
}


def train_step(model: nn.Module, inputs: Tensor) -> None:
    model(inputs, mode='tensor').square().mean().backward()
    model.zero_grad()


def watched_step(model: nn.Module, inputs: Tensor) -> None:
    from mmspike.analysis import SpikeStatistics
    with SpikeStatistics(model) as spikes:
        train_step(model, inputs)
    spikes.results()


def measure(config: str, shape: tuple[int, ...], args: argparse.Namespace) -> dict:
    """Seconds of processor time of both kinds of step; the first turn warms up."""
    from mmspike.apis import init_model
    model = init_model(ROOT / 'configs' / config).train()
    inputs = torch.randn(args.batch or shape[0], *shape[1:], generator=torch.Generator().manual_seed(0))
    seconds = dict(plain=[], watched=[])
    steps = dict(plain=train_step, watched=watched_step)
    for turn in range(args.rounds + 1):
        for name in sorted(steps, reverse=bool(turn % 2)):
            _, cpu = wall_and_cpu(partial(steps[name], model, inputs))
            seconds[name] += [cpu] if turn else []
    return seconds


def share(seconds: dict, interval: int) -> float:
    """Of the training time, from the medians."""
    plain, watched = (statistics.median(seconds[name]) for name in ('plain', 'watched'))
    return (watched - plain) / interval / plain


def main() -> None:
    from mmspike.engine.hooks import SpikeMonitorHook
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=9, help='timed turns')
    parser.add_argument('--batch', type=int, help='samples of a batch (default: that of the config)')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    args = parser.parse_args()
    torch.set_num_threads(1)
    interval = inspect.signature(SpikeMonitorHook).parameters['interval'].default
    results = {name: measure(config, shape, args) for name, (config, shape) in MODELS.items()}
    print('| model | step, CPU s (median) | watched step | cost if every step were watched '
          f'| cost at the default interval of {interval} |\n|---|---|---|---|---|')
    for name, seconds in results.items():
        plain, watched = (statistics.median(seconds[kind]) for kind in ('plain', 'watched'))
        print(f'| {name} | {plain:.4f} | {watched:.4f} | {100 * share(seconds, 1):.2f} % '
              f'| {100 * share(seconds, interval):.3f} % |')
    if args.out:
        args.out.write_text(json.dumps(dict(**hardware(), interval=interval, seconds=results), indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
