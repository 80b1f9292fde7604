"""Speed and memory of multi-step LIF neurons, ours and others (``neuron_contenders.py``).

    python benchmarks/neurons.py [--device cuda] [--out benchmarks/neurons.json] [--chart benchmarks/neurons.png]

All contenders of one number of time steps and dtype take turns in one process, on one thread (CPU) or stream (CUDA),
next to a ``copy_`` of the input. On the CPU the clock is processor time, which hardly sees the other programs of the
machine, and everything runs once with the C library's allocator as it is and once told to keep freed memory.
"""
import argparse
import gc
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from measuring import ALLOCATORS, hardware, in_fresh_process, min_and_median, reset_peak, status_mb
from torch import Tensor

MEASURES = {'infer': 'inference', 'train': 'forward + backward'}
PEER = 'spikingjelly'


def measure(args: argparse.Namespace) -> dict:
    """One number of steps and one dtype: ns per element of each contender and of the copy, bytes per element."""
    from neuron_contenders import contenders
    dtype = getattr(torch, args.dtype)
    generator = torch.Generator().manual_seed(0)
    shape = (args.steps, args.elements // args.steps)
    x, grad, target = (draw(shape, generator=generator).to(args.device, dtype)
                       for draw in (torch.randn, torch.rand, torch.randn))
    x += 0.2
    runs = {name: dict(infer=_inference(neuron, x), train=_training(neuron, x, grad))
            for name, neuron in contenders(args.device, dtype).items()}
    agreement = _agreement(args.device)
    samples = {name: {measure: [] for measure in MEASURES} for name in runs}
    copies = []
    for turn in range(args.rounds + 1):  # the first round compiles and warms up
        copies.append(_nanoseconds(lambda: target.copy_(x), x))
        for name in list(runs) if turn % 2 else reversed(runs):
            for kind, run in runs[name].items():
                samples[name][kind].append(_nanoseconds(run, x))
    result = dict(copy=_summary(copies), agreement=agreement, contenders={})
    for name, of in samples.items():
        result['contenders'][name] = {kind: _summary(values) for kind, values in of.items()}
    if args.memory:
        for name, run in runs.items():
            result['contenders'][name].update(saved=_saved(run['train'], x), peak=_peak(run['train'], x))
    return result


def _inference(neuron: Callable, x: Tensor) -> Callable[[], None]:
    def run() -> None:
        with torch.no_grad():
            neuron(x)
    return run


def _training(neuron: Callable, x: Tensor, grad: Tensor) -> Callable[[], None]:
    def run() -> None:
        leaf = x.detach().requires_grad_()
        neuron(leaf).backward(grad)
    return run


def _agreement(device: str) -> dict:
    """In float64: share of equal spikes, and the largest difference of the gradient, to the plain loop."""
    from neuron_contenders import contenders, plain_loop
    x = torch.randn(8, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(device) + 0.2
    expected, expected_grad = _with_gradient(plain_loop, x)
    found = {}
    for name, neuron in contenders(device, torch.float64).items():
        if 'compile(' not in name and 'triton' not in name and name != 'plain loop':
            spikes, grad = _with_gradient(neuron, x)
            found[name] = dict(equal_spikes=(spikes == expected).double().mean().item(),
                               gradient=(grad - expected_grad).abs().max().item())
    return found


def _with_gradient(neuron: Callable, x: Tensor) -> tuple[Tensor, Tensor]:
    leaf = x.detach().requires_grad_()
    spikes = neuron(leaf)
    spikes.backward(torch.linspace(0, 1, x.shape[1], dtype=x.dtype, device=x.device).expand_as(x))
    return spikes.detach(), leaf.grad


def _nanoseconds(run: Callable[[], object], x: Tensor) -> float:
    if x.is_cuda:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) * 1e6 / x.numel()
    before = time.process_time()
    run()
    return (time.process_time() - before) * 1e9 / x.numel()


def _summary(values: list[float]) -> dict[str, float]:
    return dict(zip(('min', 'median'), min_and_median(values[1:]), strict=True))


def _saved(train: Callable[[], None], x: Tensor) -> float:
    """Bytes per element kept for backward, beyond the input."""
    storages = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        train()
    storages.pop(x.untyped_storage().data_ptr(), None)
    return sum(storages.values()) / x.numel()


def _peak(train: Callable[[], None], x: Tensor) -> float:
    """Bytes per element that forward and backward hold at most, beyond the input and the gradient that comes in."""
    gc.collect()
    if x.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        train()
        return (torch.cuda.max_memory_allocated() - before) / x.numel()
    before = reset_peak()
    train()
    return (status_mb('VmHWM') - before) * 2**20 / x.numel()


def tables(report: dict) -> str:
    """Markdown: ns per element by contender and number of steps; memory; ratios to the peer."""
    lines = []
    for setting, cases in report['results'].items():
        steps = list(cases)
        lines += ['', f'**{setting}**: ns per element, inference / forward + backward, minimum', '',
                  '| |' + ''.join(f' T={t} |' for t in steps), '|---|' + '---|' * len(steps)]
        lines.append('| `copy_` |' + ''.join(f" {case['copy']['min']:.2f} |" for case in cases.values()))
        for name in cases[steps[0]]['contenders']:
            cells = [' / '.join(f"{case['contenders'][name][kind]['min']:.2f}" for kind in MEASURES)
                     for case in cases.values()]
            lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    return '\n'.join([*lines[1:], '', *ratios(report), '', *memory_table(report)])


def ratios(report: dict) -> list[str]:
    lines = [f'Times of {PEER} over ours, by minimum / by median:', '', '| | T | ' + ' | '.join(
        f'{ours}, {words}' for ours in _ours(report) for words in MEASURES.values()) + ' |']
    lines.append('|---|---|' + '---|' * (len(_ours(report)) * len(MEASURES)))
    for setting, cases in report['results'].items():
        for steps, case in cases.items():
            cells = [' / '.join(f"{case['contenders'][PEER][kind][by] / case['contenders'][ours][kind][by]:.2f}"
                                for by in ('min', 'median')) for ours in _ours(report) for kind in MEASURES]
            lines.append(f'| {setting} | {steps} | ' + ' | '.join(cells) + ' |')
    return lines


def _ours(report: dict) -> list[str]:
    case = next(iter(next(iter(report['results'].values())).values()))
    return [name for name in case['contenders'] if name.startswith('mmspike')]


def memory_table(report: dict) -> list[str]:
    """Where memory was measured."""
    lines = ['Bytes per element kept for backward beyond the input / at most in use beyond input and output gradient:',
             '']
    for setting, cases in report['results'].items():
        cases = {steps: case for steps, case in cases.items() if 'peak' in case['contenders'][PEER]}
        if not cases:
            continue
        lines += [f'| {setting} |' + ''.join(f' T={t} |' for t in cases), '|---|' + '---|' * len(cases)]
        for name in next(iter(cases.values()))['contenders']:
            cells = ['{saved:.1f} / {peak:.1f}'.format(**case['contenders'][name]) for case in cases.values()]
            lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
        lines.append('')
    return lines


def draw(report: dict, path: Path) -> None:
    """A bar chart: a panel per dtype and measure, a group of bars per number of steps, with the copy as a line."""
    from matplotlib.figure import Figure
    settings = [setting for setting in report['results'] if 'default' not in setting] or list(report['results'])
    figure = Figure(figsize=(6.5 * len(MEASURES), 3.6 * len(settings) + 0.9), layout='constrained')
    panels = figure.subplots(len(settings), len(MEASURES), squeeze=False, sharey='row')
    for row, setting in zip(panels, settings, strict=True):
        cases = report['results'][setting]
        names = list(next(iter(cases.values()))['contenders'])
        for panel, (kind, words) in zip(row, MEASURES.items(), strict=True):
            for i, name in enumerate(names):
                heights = [case['contenders'][name][kind]['min'] for case in cases.values()]
                places = [group + (i + 0.5) / len(names) * 0.8 - 0.4 for group in range(len(cases))]
                panel.bar(places, heights, 0.8 / len(names), label=name, color=f'C{i}')
            panel.plot(range(len(cases)), [case['copy']['min'] for case in cases.values()], 'k_--', label='copy_')
            panel.set(title=f'{words}, {setting}', xlabel='time steps', yscale='log',
                      ylabel='ns per element' if panel is row[0] else '')
            panel.set_xticks(range(len(cases)), list(cases))
            panel.grid(axis='y', alpha=0.3)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc='outside lower center', ncols=4, frameon=False)
    figure.suptitle(f"LIF neurons on {report['hardware']['device']}")
    figure.savefig(path, dpi=120)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--steps', type=int, nargs='+', default=[1, 4, 8, 16, 32], help='numbers of time steps')
    parser.add_argument('--dtype', nargs='+', default=['float32', 'bfloat16'])
    parser.add_argument('--elements', type=int, default=2**23, help='of one call, over all time steps')
    parser.add_argument('--rounds', type=int, default=9, help='timed turns of each contender')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--chart', type=Path, help='PNG file for the bar chart')
    parser.add_argument('--job', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--memory', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


def run_all(args: argparse.Namespace) -> dict:
    """Every number of steps, dtype and allocator, each in a process of its own."""
    results = {}
    for allocator, environment in (ALLOCATORS if args.device == 'cpu' else {'': {}}).items():
        for dtype in args.dtype:
            setting = ', '.join(filter(None, [dtype, allocator and f'{allocator} allocator']))
            for steps in args.steps:
                arguments = ['--job', '--device', args.device, '--steps', steps, '--dtype', dtype, '--elements',
                             args.elements, '--rounds', args.rounds, *['--memory'] * (allocator != 'tuned')]
                results.setdefault(setting, {})[steps] = in_fresh_process(__file__, map(str, arguments), environment)
                print(f'{setting}, T={steps}: done', flush=True)
    return dict(hardware=hardware(args.device), elements=args.elements, rounds=args.rounds, results=results)


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.job:
        args.steps, args.dtype = args.steps[0], args.dtype[0]
        print(json.dumps(measure(args)))
        return
    report = run_all(args)
    print(tables(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
    if args.chart:
        draw(report, args.chart)


if __name__ == '__main__':
    main()
