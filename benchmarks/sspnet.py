"""Speed and memory of SSPNet against a plain implementation (``plain_sspnet.py``).

    python benchmarks/sspnet.py [--out benchmarks/sspnet.json]

The whole network of ``configs/sspnet/sspnet_r50_pa100k_legacy.py``, and its head alone on a given pyramid: forward
(evaluation, no gradient) and training step (forward, loss, backward) of both, in one process, one thread, fp32, taking
turns; next to them the machine's copy bandwidth. That both compute the same is shown first, in float64. Peak memory is
measured in a process of its own for each. Everything runs once with the C library's allocator as it is and once told to
keep freed memory.
"""
import argparse
import json
import statistics
from pathlib import Path

import torch
import torch.nn.functional as F
from measuring import ALLOCATORS, hardware, in_fresh_process, min_and_median, reset_peak, status_mb, wall_and_cpu
from plain_sspnet import PlainSSPNet, randomise
from torch import Tensor, nn

CONFIG = Path(__file__).resolve().parents[1] / 'configs/sspnet/sspnet_r50_pa100k_legacy.py'
CONTENDERS = ('plain', 'ours')
CASES = ('head forward', 'head forward and backward', 'forward', 'training step')
SETTINGS = ('batch', 'size', 'rounds')


def build(name: str, dropout: float = 0.1) -> nn.Module:
    """One contender, with weights of its own."""
    if name == 'plain':
        return PlainSSPNet(dropout=dropout)
    from mmspike.apis import init_model
    return init_model(CONFIG, cfg_options={'model.backbone.init_cfg': None, 'model.head.dropout': dropout})


def build_both(dtype: torch.dtype = torch.float32, dropout: float = 0.1) -> dict[str, nn.Module]:
    """Both with the same weights."""
    from mmspike import convert
    models = {name: build(name, dropout) for name in CONTENDERS}
    randomise(models['plain'])
    models['ours'].load_state_dict(convert.sspnet(models['plain'].state_dict()))
    return {name: model.to(dtype) for name, model in models.items()}


def head_of(model: nn.Module) -> nn.Module:
    return model.classifier if isinstance(model, PlainSSPNet) else model.head


def maps_of(model: nn.Module, images: Tensor) -> list[Tensor]:
    return model.backbone(images) if isinstance(model, PlainSSPNet) else model.extract_feat(images)


def data(args: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Images of noise, and labels."""
    height, width = map(int, args.size.split('x'))
    generator = torch.Generator().manual_seed(1)
    return torch.randn(args.batch, 3, height, width, generator=generator), torch.arange(26).expand(args.batch, -1) % 2.


def backward(logits: Tensor, labels: Tensor) -> Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, labels.to(logits), reduction='sum') / len(labels)
    loss.backward()
    return loss.detach()


def run(case: str, model: nn.Module, images: Tensor, labels: Tensor, pyramid: list[Tensor]) -> None:
    """One case of one contender."""
    part, source = (head_of(model), pyramid) if case.startswith('head') else (model, images)
    if case.endswith('forward'):
        with torch.no_grad():
            part(source)
    else:
        backward(part(source), labels)


def parity(args: argparse.Namespace) -> dict:
    """Largest differences between both in float64: logits, and loss and gradients of a training step."""
    images, labels = data(args)
    results = {}
    for name, model in build_both(torch.float64, dropout=0.0).items():
        with torch.no_grad():
            logits = model.eval()(images.double())
        loss = backward(model.train()(images.double()), labels)
        gradients = [p.grad.square().sum() for p in model.parameters() if p.grad is not None]
        results[name] = logits, loss, torch.stack(gradients).sum().sqrt()
    (a, loss_a, norm_a), (b, loss_b, norm_b) = results.values()
    return dict(logits_max_difference=(a - b).abs().max().item(), logits_std=a.std().item(),
                loss_difference=abs((loss_a - loss_b).item()),
                gradient_norm_relative_difference=abs((norm_a / norm_b - 1).item()))


def timings(args: argparse.Namespace) -> dict:
    """Seconds of every case, both taking turns, and the copy bandwidth in between."""
    models, (images, labels) = build_both(), data(args)
    with torch.no_grad():
        pyramid = [x.clone() for x in maps_of(models['plain'].eval(), images)]
    for x in pyramid:
        x.requires_grad_()
    source = torch.randn(2 ** 24)
    target = torch.empty_like(source)
    seconds, copies = {case: {name: dict(wall=[], cpu=[]) for name in CONTENDERS} for case in CASES}, []
    for turn in range(args.rounds + 1):  # the first one warms up and is not counted
        copy = wall_and_cpu(lambda: target.copy_(source))[0]
        copies += [copy] if turn else []
        for case in CASES:
            for name in CONTENDERS if turn % 2 else CONTENDERS[::-1]:
                model = models[name].train(not case.endswith('forward'))
                times = wall_and_cpu(lambda case=case, model=model: run(case, model, images, labels, pyramid))
                model.zero_grad()
                for x in pyramid:
                    x.grad = None
                for clock, value in zip(('wall', 'cpu'), times, strict=True):
                    seconds[case][name][clock] += [value] if turn else []
    bandwidth = [2 * source.numel() * 4 / copy / 1e9 for copy in copies]
    return dict(seconds=seconds, copy_gb_per_s=dict(max=max(bandwidth), median=statistics.median(bandwidth)))


def memory(args: argparse.Namespace) -> dict:
    """Peak resident memory of a training step over that of the built model, MB (Linux); gradients count."""
    model, (images, labels) = build(args.contender).train(), data(args)
    backward(model(torch.zeros(2, 3, 64, 32)), torch.zeros(2, 26))  # what is built once
    model.zero_grad()
    before = reset_peak()
    backward(model(images), labels)
    return dict(step_mb=status_mb('VmHWM') - before,
                gradients_mb=sum(p.numel() for p in model.parameters()) * 4 / 2 ** 20)


def table(report: dict) -> str:
    lines = ['| case | allocator | plain: wall min / median, CPU min / median | ours | plain : ours |',
             '|---|---|---|---|---|']
    for allocator, result in report['allocators'].items():
        for case, both in result['seconds'].items():
            times = [[1e3 * x for clock in ('wall', 'cpu') for x in min_and_median(both[name][clock])]
                     for name in CONTENDERS]
            cells = ['{:.1f} / {:.1f}, {:.1f} / {:.1f} ms'.format(*values) for values in times]
            ratios = ' / '.join(f'{plain / ours:.2f}' for plain, ours in zip(*times, strict=True))
            lines.append(f'| {case} | {allocator} | {cells[0]} | {cells[1]} | {ratios} |')
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
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--size', default='256x192', help='height x width in pixels, the height a multiple of 64')
    parser.add_argument('--rounds', type=int, default=7, help='timed turns of each contender')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--job', choices=('parity', 'timings', 'memory'), help=argparse.SUPPRESS)
    parser.add_argument('--contender', choices=CONTENDERS, default='ours', help=argparse.SUPPRESS)
    return parser.parse_args()


def run_worker(job: str, args: argparse.Namespace, environment: dict | None = None, contender: str = 'ours') -> dict:
    arguments = ['--job', job, '--contender', contender]
    for name in SETTINGS:
        arguments += [f'--{name}', str(getattr(args, name))]
    return in_fresh_process(__file__, arguments, environment)


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.job:
        job = dict(parity=parity, timings=timings, memory=memory)[args.job]
        print(json.dumps(job(args)))
        return
    report = dict(settings={name: getattr(args, name) for name in SETTINGS}, **hardware(),
                  parity_float64=run_worker('parity', args), allocators={})
    for allocator, environment in ALLOCATORS.items():
        report['allocators'][allocator] = dict(
            memory={name: run_worker('memory', args, environment, name) for name in CONTENDERS},
            **run_worker('timings', args, environment))
    print(table(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
