"""Speed, memory and operations of Spikingformer against a plain implementation (``plain_spikingformer.py``).

    python benchmarks/spikingformer.py [--out benchmarks/spikingformer.json]

Forward (evaluation, no gradient; ours also with folded batch norms) and training step (forward, loss, backward) of
both, in one process, one thread, fp32, taking turns. That both compute the same is shown first, in float64. Peak memory
is measured in a process of its own for each. Everything runs once with the C library's allocator as it is and once told
to keep freed memory. An operation is a call of ATen, or of an operator of ours, that is no view.
"""
import argparse
import json
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from measuring import ALLOCATORS, hardware, in_fresh_process, min_and_median, reset_peak, status_mb, wall_and_cpu
from plain_spikingformer import PlainSpikingformer, randomise
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ROOT = Path(__file__).resolve().parents[1]
CASES = {  # what ours is, and what runs
    'forward': ('ours', 'eval'), 'forward, ours with folded batch norms': ('folded', 'eval'),
    'training step': ('ours', 'train')}
SETTINGS = ('width', 'steps', 'batch', 'sizes', 'rounds')


def build(name: str, args: argparse.Namespace) -> nn.Module:
    """One contender, with weights of its own; both give logits of 1,000 classes."""
    if name == 'plain':
        return PlainSpikingformer(args.width, steps=args.steps)
    from mmspike.apis import init_model
    return init_model(ROOT / 'configs/_base_/models/spikingformer_8-384_imagenet.py', cfg_options={
        'model.backbone.arch': f'8-{args.width}', 'model.backbone.num_steps': args.steps,
        'model.head.in_channels': args.width})


def build_all(args: argparse.Namespace, dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    """Both with the same weights, and ours folded."""
    from mmspike import convert
    from mmspike.apis import fold_batchnorm
    models = {name: build(name, args) for name in ('plain', 'ours')}
    randomise(models['plain'])
    models['ours'].load_state_dict(convert.spikingformer(models['plain'].state_dict()))
    models = {name: model.to(dtype) for name, model in models.items()}
    models['folded'] = fold_batchnorm(models['ours'], torch.zeros(1, 3, 32, 32, dtype=dtype))
    return models


def logits(model: nn.Module, images: Tensor) -> Tensor:
    """The plain network has no modes; a classifier of mmpretrain wants to be asked for the head's output."""
    return model(images) if isinstance(model, PlainSpikingformer) else model.head(model.extract_feat(images))


def data(args: argparse.Namespace, size: str) -> tuple[Tensor, Tensor]:
    """Images of noise, and labels."""
    height, width = map(int, size.split('x'))
    generator = torch.Generator().manual_seed(1)
    return torch.randn(args.batch, 3, height, width, generator=generator), torch.arange(args.batch)


def evaluate(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    with torch.no_grad():
        logits(model, images)


def train_step(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    F.cross_entropy(logits(model, images), labels).backward()


def parity(args: argparse.Namespace) -> dict:
    """Largest differences between both in float64, on the first size."""
    images, labels = data(args, args.sizes[0])
    results = {}
    for name, model in build_all(args, torch.float64).items():
        model.eval()
        with torch.no_grad():
            results[name] = [logits(model, images.double())]
        if name != 'folded':
            train_step(model.train(), images.double(), labels)
            gradients = [p.grad.square().sum() for p in model.parameters() if p.grad is not None]
            results[name].append(torch.stack(gradients).sum().sqrt())
    (a, norm_a), (b, norm_b), (c,) = results.values()
    return dict(logits_max_difference=(a - b).abs().max().item(), logits_std=a.std().item(),
                folded_max_difference=(a - c).abs().max().item(),
                gradient_norm_relative_difference=abs((norm_a / norm_b - 1).item()))


def timings(args: argparse.Namespace) -> dict:
    """Seconds of every case at every size, both taking turns: size -> case -> contender -> wall, cpu."""
    models, results = build_all(args), {}
    for size in args.sizes:
        images, labels = data(args, size)
        results[size] = {case: dict(plain=dict(wall=[], cpu=[]), ours=dict(wall=[], cpu=[])) for case in CASES}
        for turn in range(args.rounds + 1):  # the first one warms up
            for case, (ours, mode) in CASES.items():
                for contender in ('plain', 'ours') if turn % 2 else ('ours', 'plain'):
                    model = models[ours if contender == 'ours' else 'plain'].train(mode == 'train')
                    run = partial(train_step if mode == 'train' else evaluate, model, images, labels)
                    times = wall_and_cpu(run)
                    model.zero_grad()
                    for clock, seconds in zip(('wall', 'cpu'), times, strict=True):
                        results[size][case][contender][clock] += [seconds] if turn else []
    return results


def memory(args: argparse.Namespace) -> dict:
    """Peak resident memory of a training step over that of the built model, MB (Linux); gradients count."""
    model = build(args.contender, args).train()
    images, labels = data(args, args.sizes[0])
    train_step(model, torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.long))  # what is built once
    model.zero_grad()
    before = reset_peak()
    train_step(model, images, labels)
    return dict(step_mb=status_mb('VmHWM') - before,
                gradients_mb=sum(p.numel() for p in model.parameters()) * 4 / 2 ** 20)


def operations(args: argparse.Namespace) -> dict:
    """How many operations that are no views a training step has; the same at every size."""
    counts = {}
    for name in ('plain', 'ours'):
        model = build(name, args).train()
        with _Count() as count:
            train_step(model, *data(args, '32x32'))
        counts[name] = count.operations
    return counts


class _Count(TorchDispatchMode):
    operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += not func.is_view
        return func(*args, **(kwargs or {}))


def table(report: dict) -> str:
    lines = ['| case | size | allocator | plain: wall min / median, CPU min | ours | plain : ours |',
             '|---|---|---|---|---|---|']
    for allocator, result in report['allocators'].items():
        for size, cases in result['seconds'].items():
            for case, both in cases.items():
                times = [[*min_and_median(both[name]['wall']), min(both[name]['cpu'])] for name in ('plain', 'ours')]
                ratios = ' / '.join(f'{plain / ours:.2f}' for plain, ours in zip(*times, strict=True))
                cells = ['{:.3f} / {:.3f}, {:.3f} s'.format(*values) for values in times]
                lines.append(f'| {case} | {size} | {allocator} | {cells[0]} | {cells[1]} | {ratios} |')
            plain, ours = (result['memory'][size][name]['step_mb'] for name in ('plain', 'ours'))
            lines.append(f'| peak memory of the training step | {size} | {allocator} | {plain:.0f} MB | {ours:.0f} MB '
                         f'| {plain / ours:.2f} |')
    plain, ours = (report['operations'][name] for name in ('plain', 'ours'))
    lines.append(f'| operations of a training step | | | {plain:,} | {ours:,} | {plain / ours:.1f} |')
    same = report['parity_float64']
    return '\n'.join([*lines, '', (
        f"float64: logits differ by at most {same['logits_max_difference']:.1e}, with folded norms by "
        f"{same['folded_max_difference']:.1e} (their deviation is {same['logits_std']:.2f}), the gradient's norm by "
        f"{same['gradient_norm_relative_difference']:.1e} of it.")])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--width', type=int, default=384, choices=(384, 512, 768))
    parser.add_argument('--steps', type=int, default=4, help='T')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--sizes', nargs='+', default=['128x64', '224x224'], help='height x width in pixels')
    parser.add_argument('--rounds', type=int, default=7, help='timed turns of each contender')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--job', choices=('parity', 'timings', 'memory', 'operations'), help=argparse.SUPPRESS)
    parser.add_argument('--contender', choices=('plain', 'ours'), default='ours', help=argparse.SUPPRESS)
    return parser.parse_args()


def run_worker(job: str, args: argparse.Namespace, environment: dict | None = None, contender: str = 'ours',
               sizes: list[str] | None = None) -> dict:
    arguments = ['--job', job, '--contender', contender, '--sizes', *(sizes or args.sizes)]
    for name in ('width', 'steps', 'batch', 'rounds'):
        arguments += [f'--{name}', str(getattr(args, name))]
    return in_fresh_process(__file__, arguments, environment)


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.job:
        job = dict(parity=parity, timings=timings, memory=memory, operations=operations)[args.job]
        print(json.dumps(job(args)))
        return
    report = dict(settings={name: getattr(args, name) for name in SETTINGS}, **hardware(),
                  parity_float64=run_worker('parity', args), operations=run_worker('operations', args), allocators={})
    for allocator, environment in ALLOCATORS.items():
        peaks = {size: {name: run_worker('memory', args, environment, name, [size]) for name in ('plain', 'ours')}
                 for size in args.sizes}
        report['allocators'][allocator] = dict(memory=peaks, seconds=run_worker('timings', args, environment))
    print(table(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
