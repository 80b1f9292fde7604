"""Speed of the hybrid pose network against a plain implementation, a step at a time (``plain_pose.py``).

    python benchmarks/pose.py [--out benchmarks/pose.json]

Evaluation, no gradient, batch 1, one thread, fp32, published width; all contenders in one process, taking turns: one
bin of the spiking network (``step``), the CNN with the state nets (``look``), and a window of one look and 10 bins.
Ours runs as it is built, and with its batch norms folded. That all compute the same is shown first, in float64.
"""
import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from measuring import hardware, in_fresh_process, min_and_median, wall_and_cpu
from plain_pose import PlainHybridPose
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'configs/_base_/models/hybrid_pose_cnn-snn.py'
CONTENDERS = ('plain', 'ours', 'ours, folded')
CASES = ('step', 'look', 'window')
BINS = 10


def build_all(dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    """All with the same weights, and norms with which neurons fire."""
    from mmspike.apis import fold_batchnorm, init_model
    from mmspike.convert import hybrid_pose
    torch.manual_seed(0)
    plain = PlainHybridPose()
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 1, 3)
            nn.init.normal_(module.bias, 0.5, 0.5)
    ours = init_model(CONFIG)
    ours.load_state_dict(hybrid_pose(plain.state_dict()))
    models = {'plain': plain.eval().to(dtype), 'ours': ours.eval().to(dtype)}
    frame, bins = data(32, dtype)
    models['ours, folded'] = fold_batchnorm(models['ours'], dict(frames=frame[None], bins=bins[:2]))
    return models


def data(size: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Counts of noise: a frame [1, 20, H, W] and bins [10, 1, 2, H, W]."""
    draw = torch.Generator().manual_seed(1)
    return (torch.poisson(torch.full((1, 20, size, size), 0.3), draw).to(dtype),
            torch.poisson(torch.full((BINS, 1, 2, size, size), 0.1), draw).to(dtype))


def window(model: nn.Module, frame: Tensor, bins: Tensor) -> Tensor:
    return model(frame, bins) if isinstance(model, PlainHybridPose) else model(dict(frames=frame[None], bins=bins))


def parity(args: argparse.Namespace) -> dict:
    """Largest differences of a window's maps in float64."""
    frame, bins = data(args.size, torch.float64)
    with torch.no_grad():
        maps = {name: window(model, frame, bins) for name, model in build_all(torch.float64).items()}
    return dict(maps_std=maps['plain'].std().item(),
                **{f'{name}_max_difference': (maps[name] - maps['plain']).abs().max().item()
                   for name in CONTENDERS[1:]})


def runs_of(model: nn.Module, frame: Tensor, bins: Tensor) -> dict[str, Callable[[], object]]:
    """Case -> what is timed; a step goes on from a look."""
    runs = dict(window=partial(window, model, frame, bins))
    if isinstance(model, PlainHybridPose):
        model.look(frame)
        return dict(runs, step=partial(model.step, bins[0]), look=partial(model.look, frame))
    state = model.initialise(frame)
    return dict(runs, step=partial(model.step, bins[:1], state), look=partial(model.initialise, frame))


@torch.no_grad()
def timings(args: argparse.Namespace) -> dict:
    """Seconds, all taking turns: case -> contender -> wall, cpu; and those of a copy of the bins of a window."""
    models, (frame, bins) = build_all(), data(args.size)
    runs = {name: runs_of(model, frame, bins) for name, model in models.items()}
    seconds = {case: {name: dict(wall=[], cpu=[]) for name in CONTENDERS} for case in CASES}
    block, copies = torch.empty(2**22), []
    for turn in range(args.rounds + 1):  # the first one warms up
        order = CONTENDERS if turn % 2 else CONTENDERS[::-1]
        copies.append(wall_and_cpu(lambda: torch.empty_like(block).copy_(block))[0])
        for case in CASES:
            for name in order:
                times = wall_and_cpu(runs[name][case])
                for clock, value in zip(('wall', 'cpu'), times, strict=True):
                    seconds[case][name][clock] += [value] if turn else []
    return dict(seconds=seconds, copy_gb_per_s=2 * 4 * block.numel() / min(copies) / 1e9)


def table(report: dict) -> str:
    lines = ['| case | ' + ' | '.join(f'{name}: CPU min / median (wall min)' for name in CONTENDERS)
             + ' | plain : ours | plain : folded |', '|---|' + '---|' * (len(CONTENDERS) + 2)]
    for case, contenders in report['seconds'].items():
        cells, least = [], {}
        for name in CONTENDERS:
            low, middle = min_and_median(contenders[name]['cpu'])
            cells.append(f'{1000 * low:.0f} / {1000 * middle:.0f} ({1000 * min(contenders[name]["wall"]):.0f}) ms')
            least[name] = low, middle
        ratios = [' / '.join(f'{plain / other:.2f}' for plain, other in zip(least['plain'], least[name], strict=True))
                  for name in CONTENDERS[1:]]
        lines.append(f'| {case} | ' + ' | '.join(cells + ratios) + ' |')
    same = report['parity_float64']
    return '\n'.join([*lines, '', (
        f"float64: the maps of a window differ by at most {same['ours_max_difference']:.1e}, with folded norms by "
        f"{same['ours, folded_max_difference']:.1e} (their deviation is {same['maps_std']:.2f}). copy_ (read and "
        f"write): {report['copy_gb_per_s']:.1f} GB/s.")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', type=int, default=128, help='height and width (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=7, help='timed turns of each contender (default: %(default)s)')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--job', choices=('parity', 'timings'), help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.job:
        print(json.dumps(dict(parity=parity, timings=timings)[args.job](args)))
        return
    arguments = ['--size', str(args.size), '--rounds', str(args.rounds)]
    report = dict(settings=dict(size=args.size, rounds=args.rounds, bins=BINS), **hardware(),
                  parity_float64=in_fresh_process(__file__, ['--job', 'parity', *arguments]),
                  **in_fresh_process(__file__, ['--job', 'timings', *arguments]))
    print(table(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
