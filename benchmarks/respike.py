"""Speed and memory of ReSpike against a plain per-time-step implementation (``plain_respike.py``).

    python benchmarks/respike.py [--out benchmarks/respike.json]

Forward (evaluation, no gradient) and training step (forward, loss, backward, SGD) of both, in one process, one thread,
fp32, taking turns; next to them the machine's copy bandwidth. That both compute the same is shown first, in float64.
Peak memory is measured in a process of its own for each. Everything runs once with the C library's allocator as it is
and once told to keep freed memory: page faults are a large part of the time on a CPU, and not the model's merit.
"""
import argparse
import json
import statistics
from pathlib import Path

import torch
import torch.nn.functional as F
from measuring import ALLOCATORS, hardware, in_fresh_process, reset_peak, status_mb, wall_and_cpu
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
CONTENDERS = ('plain', 'ours')
CASES = {'forward': 'forward', 'train': 'training step'}
SETTINGS = ('depth', 'size', 'frames', 'stride', 'num_classes', 'rounds')


def build(name: str, args: argparse.Namespace) -> nn.Module:
    """One contender, with weights of its own."""
    if name == 'plain':
        from plain_respike import PlainReSpike
        return PlainReSpike(args.depth, args.stride, args.num_classes)
    from mmspike.apis import init_model
    return init_model(ROOT / f'configs/_base_/models/respike_r{args.depth}.py', cfg_options={
        'model.backbone.stride': args.stride, 'model.head.num_classes': args.num_classes})


def build_pair(args: argparse.Namespace) -> dict[str, nn.Module]:
    """Both contenders with the same weights, in the order of ``CONTENDERS``."""
    from plain_respike import randomise

    from mmspike import convert
    models = {name: build(name, args) for name in CONTENDERS}
    randomise(models['plain'])
    models['ours'].load_state_dict(convert.respike(models['plain'].state_dict()))
    return models


def data(args: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """A drifting texture, normalised, and a label: [1, T, 3, size, size], [1]."""
    generator = torch.Generator().manual_seed(1)
    texture = F.interpolate(torch.randn(1, 3, 16, 16, generator=generator), args.size, mode='bicubic')
    clip = torch.stack([texture.roll((t, 2 * t), dims=(2, 3)) for t in range(args.frames)], dim=1)
    return clip, torch.zeros(1, dtype=torch.long)


def parity(args: argparse.Namespace) -> dict:
    """Largest differences between both in float64."""
    clip, label = data(args)
    results = {}
    for name, model in build_pair(args).items():
        model.double().eval()
        with torch.no_grad():
            logits = model(clip.double())
        model.train()
        loss = F.cross_entropy(model(clip.double()), label)
        loss.backward()
        results[name] = logits, loss.item(), _gradient_norm(model)
    (a, loss_a, norm_a), (b, loss_b, norm_b) = results.values()
    return dict(logits_max_difference=(a - b).abs().max().item(), logits_std=a.std().item(),
                loss_difference=abs(loss_a - loss_b), gradient_norm_relative_difference=abs(norm_a / norm_b - 1))


def _gradient_norm(model: nn.Module) -> float:
    return sum(p.grad.square().sum() for p in model.parameters() if p.grad is not None).sqrt().item()


def timings(args: argparse.Namespace) -> dict:
    """Seconds of every case of both contenders, taking turns, and the copy bandwidth in between."""
    clip, label = data(args)
    models = build_pair(args)
    optimizers = {name: torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9) for name, model in models.items()}
    source = torch.randn(2 ** 25)  # 128 MiB, beyond any cache
    target = torch.empty_like(source)

    def forward(name: str) -> None:
        models[name].eval()
        with torch.no_grad():
            models[name](clip)

    def train(name: str) -> None:
        models[name].train()
        train_step(models[name], clip, label)
        optimizers[name].step()
        optimizers[name].zero_grad()

    seconds = {case: {name: dict(wall=[], cpu=[]) for name in CONTENDERS} for case in CASES}
    copies = []
    for turn in range(args.rounds + 1):  # the first round warms up and is not counted
        copy = wall_and_cpu(lambda: target.copy_(source))[0]
        runs = [(case, name, wall_and_cpu(lambda run=run, name=name: run(name)))
                for case, run in zip(CASES, (forward, train), strict=True)
                for name in (CONTENDERS if turn % 2 else reversed(CONTENDERS))]
        if turn:
            copies.append(copy)
            for case, name, (wall, cpu) in runs:
                seconds[case][name]['wall'].append(wall)
                seconds[case][name]['cpu'].append(cpu)
    bandwidth = [2 * source.numel() * 4 / copy / 1e9 for copy in copies]
    return dict(seconds=seconds, copy_gb_per_s=dict(max=max(bandwidth), median=statistics.median(bandwidth)))


def train_step(model: nn.Module, clip: Tensor, label: Tensor) -> None:
    F.cross_entropy(model(clip), label).backward()


def memory(args: argparse.Namespace) -> dict:
    """Peak resident memory of a training step over that of the built model, MB (Linux).

    The gradients count, the optimiser's state (equal for both, 4 bytes per parameter) does not.
    """
    model = build(args.contender, args).train()
    clip, label = data(args)
    before = reset_peak()
    train_step(model, clip, label)
    gradients = sum(p.grad.numel() * p.grad.element_size() for p in model.parameters() if p.grad is not None)
    return dict(model_mb=before, step_mb=status_mb('VmHWM') - before, gradients_mb=gradients / 2 ** 20)


def run_worker(job: str, args: argparse.Namespace, environment: dict, contender: str = 'ours') -> dict:
    """One job in a fresh process, so that its allocator settings and its peak memory are its own."""
    arguments = ['--job', job, '--contender', contender]
    for name in SETTINGS:
        arguments += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    return in_fresh_process(__file__, arguments, environment)


def table(report: dict) -> str:
    lines = ['| case | allocator | plain: wall min / median, CPU min | ours | plain : ours |', '|---|---|---|---|---|']
    for allocator, result in report['allocators'].items():
        for case, words in CASES.items():
            times = [[min(both['wall']), statistics.median(both['wall']), min(both['cpu'])]
                     for both in (result['seconds'][case][name] for name in CONTENDERS)]
            ratios = ' / '.join(f'{plain / ours:.2f}' for plain, ours in zip(*times, strict=True))
            cells = ['{:.3f} / {:.3f}, {:.3f} s'.format(*values) for values in times]
            lines.append(f'| {words} | {allocator} | {cells[0]} | {cells[1]} | {ratios} |')
        plain, ours = (result['memory'][name]['step_mb'] for name in CONTENDERS)
        lines.append(f'| peak memory of the training step | {allocator} | {plain:.0f} MB | {ours:.0f} MB | '
                     f'{plain / ours:.2f} |')
    gradients = report['allocators']['default']['memory']['ours']['gradients_mb']
    copies = ', '.join(f"{result['copy_gb_per_s']['median']:.1f} GB/s ({allocator})"
                       for allocator, result in report['allocators'].items())
    same = report['parity_float64']
    return '\n'.join([*lines, '', f'Of the peak memory {gradients:.0f} MB are gradients, in both.', (
        f'copy_ (read and write, median): {copies}.'), (
        f"float64: logits differ by at most {same['logits_max_difference']:.1e} (their deviation is "
        f"{same['logits_std']:.2f}), the loss by {same['loss_difference']:.1e}, the gradient's norm by "
        f"{same['gradient_norm_relative_difference']:.1e} of it.")])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--depth', type=int, default=50, choices=(18, 50), help='of the ANN branch')
    parser.add_argument('--size', type=int, default=128, help='height and width in pixels, a multiple of 32')
    parser.add_argument('--frames', type=int, default=16)
    parser.add_argument('--stride', type=int, default=4)
    parser.add_argument('--num-classes', type=int, default=51)
    parser.add_argument('--rounds', type=int, default=7, help='timed turns of each contender')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--job', choices=('parity', 'timings', 'memory'), help=argparse.SUPPRESS)
    parser.add_argument('--contender', choices=CONTENDERS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.job:
        print(json.dumps({'parity': parity, 'timings': timings, 'memory': memory}[args.job](args)))
        return
    report = dict(settings={name: getattr(args, name) for name in SETTINGS}, hardware=hardware(),
                  parity_float64=run_worker('parity', args, {}), allocators={})
    for allocator, environment in ALLOCATORS.items():
        result = run_worker('timings', args, environment)
        result['memory'] = {name: run_worker('memory', args, environment, name) for name in CONTENDERS}
        report['allocators'][allocator] = result
    print(table(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
