"""Dense representations of events against the same written with np.add.at.

    python benchmarks/events.py [--file RECORDING] [--out benchmarks/events.json]

counts      event_counts: per bin, polarity and pixel
histogram   stacked_histogram: the published form of the same
voxels      voxel_grid: shared between two bins
surface     time_surface: the last event of each pixel, against np.maximum.at
background  the background filter of DHP19, against a loop over events (a tenth of them)

One process, one thread, both sides by turns on the same events; the first turn is not counted. Both sides get the same
structured array and give the same float32 array, which is checked first. Without --file events are drawn: a blob that
moves before noise. The copy bandwidth of the machine is measured in the same turns.
"""
import argparse
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from measuring import hardware, min_and_median, wall_and_cpu

from mmspike.datasets.events import (
    event_counts,
    make_events,
    open_events,
    stacked_histogram,
    time_surface,
    voxel_grid,
)
from mmspike.datasets.events.filters import supported

WINDOW, TAU = 70_000, 50_000  # us
COPY = 2 ** 24  # floats: 64 MiB, beyond any cache


def drawn_events(number: int, height: int, width: int) -> np.ndarray:
    """A blob that moves through the picture in a second, and a fifth of noise."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 1_000_000, number))
    x = rng.normal(t * 1e-6 * width, width / 12)
    y = rng.normal(height / 2, height / 6, number)
    noise = rng.random(number) < 0.2
    x[noise], y[noise] = rng.uniform(0, width, noise.sum()), rng.uniform(0, height, noise.sum())
    return make_events(t, x.clip(0, width - 1), y.clip(0, height - 1), rng.integers(0, 2, number))


def columns(events: np.ndarray) -> tuple[np.ndarray, ...]:
    """t, x, y, p as int64."""
    return tuple(events[name].astype(np.int64) for name in 'txyp')


def plain_counts(events: np.ndarray, bins: int, height: int, width: int, start: int, stop: int) -> np.ndarray:
    """A bin number per event, and one np.add.at."""
    t, x, y, p = columns(events)
    inside = (t >= start) & (t < stop) & (x < width) & (y < height)
    number = (t[inside] - start) * bins // (stop - start)
    grid = np.zeros((bins, 2, height, width), np.float32)
    np.add.at(grid, (number, p[inside], y[inside], x[inside]), 1)
    return grid


def plain_histogram(events: np.ndarray, bins: int, height: int, width: int) -> np.ndarray:
    """As published, without its torch: times divided by the time from the first event to the last."""
    t, x, y, p = columns(events)
    number = np.minimum((t - t[0]) * bins // (t[-1] - t[0]), bins - 1)
    grid = np.zeros((bins, 2, height, width), np.float32)
    np.add.at(grid, (number, p, y, x), 1)
    return grid


def plain_voxels(events: np.ndarray, bins: int, height: int, width: int) -> np.ndarray:
    """Two np.add.at: to the earlier bin and to the later one."""
    t, x, y, p = columns(events)
    time = (bins - 1) * (t - t[0]) / (t[-1] - t[0])
    lower = time.astype(np.int64)
    share, polarity = time - lower, 2. * p - 1
    grid = np.zeros((bins + 1, height, width))
    np.add.at(grid, (lower, y, x), polarity * (1 - share))
    np.add.at(grid, (lower + 1, y, x), polarity * share)
    return grid[:bins, None].astype(np.float32)


def plain_surface(events: np.ndarray, height: int, width: int, tau: float) -> np.ndarray:
    """np.maximum.at of the times."""
    t, x, y, p = columns(events)
    last = np.full((2, height, width), -1, np.int64)
    np.maximum.at(last, (p, y, x), t)
    return np.where(last >= 0, np.exp((last - t[-1]) / tau), 0).astype(np.float32)


def plain_supported(events: np.ndarray, height: int, width: int, window: int) -> np.ndarray:
    """A loop over events and a map of the last time around each pixel."""
    last, kept = np.zeros((height, width), np.int64), np.zeros(len(events), bool)
    for k, (t, x, y, _) in enumerate(events.tolist()):
        kept[k] = t - last[y, x] <= window
        if 0 < x < width - 1 and 0 < y < height - 1:
            own = last[y, x]
            last[y - 1:y + 2, x - 1:x + 2] = t
            last[y, x] = own
    return kept


def cases(events: np.ndarray, bins: int, height: int, width: int) -> dict[str, tuple[int, Callable, Callable]]:
    """Per representation: events, ours, plain."""
    shape, whole = (bins, height, width), (int(events['t'][0]), int(events['t'][-1]) + 1)
    few = events[:max(1, len(events) // 10)]
    return dict(
        counts=(len(events), lambda: event_counts(events, *shape, *whole),
                lambda: plain_counts(events, *shape, *whole)),
        histogram=(len(events), lambda: stacked_histogram(events, *shape), lambda: plain_histogram(events, *shape)),
        voxels=(len(events), lambda: voxel_grid(events, *shape), lambda: plain_voxels(events, *shape)),
        surface=(len(events), lambda: time_surface(events, height, width, TAU),
                 lambda: plain_surface(events, height, width, TAU)),
        background=(len(few), lambda: supported(few, height, width, WINDOW),
                    lambda: plain_supported(few, height, width, WINDOW)))


def measure(events: np.ndarray, height: int, width: int, args: argparse.Namespace) -> dict:
    """Seconds of both sides by turns, how far apart their results are, and the copy bandwidth."""
    results: dict[str, dict] = {}
    source = torch.randn(COPY)
    target, copies = torch.empty_like(source), []
    for name, (number, ours, plain) in cases(events, args.bins, height, width).items():
        apart = float(np.abs(np.subtract(ours(), plain(), dtype=np.float64)).max())
        times: dict[str, list] = dict(ours=[], plain=[])
        for turn in range(args.rounds + 1):
            seconds, _ = wall_and_cpu(lambda: target.copy_(source))
            copies.append(2 * source.numel() * 4 / seconds / 1e9)
            both = [('ours', ours), ('plain', plain)]
            for side, run in both if turn % 2 else reversed(both):
                wall, cpu = wall_and_cpu(run)
                if turn:
                    times[side].append((wall, cpu))
        results[name] = dict(events=number, apart=apart, **times)
    return dict(results=results, copy_gb_per_s=statistics.median(copies))


def table(measured: dict) -> str:
    """The results as Markdown."""
    lines = ['| ns per event, processor time: min / median | events | plain | mmspike | ratio | apart |',
             '|---' * 6 + '|']
    for name, result in measured['results'].items():
        figures = {side: [1e9 * value / result['events'] for value in min_and_median([cpu for _, cpu in result[side]])]
                   for side in ('plain', 'ours')}
        ratios = [a / b for a, b in zip(figures['plain'], figures['ours'], strict=True)]
        cells = ['{:.1f} / {:.1f}'.format(*figures[side]) for side in ('plain', 'ours')]
        lines.append(f'| {name} | {result["events"]:,} | {" | ".join(cells)} | {ratios[0]:.1f} / {ratios[1]:.1f} | '
                     f'{result["apart"]:.1e} |')
    return '\n'.join([*lines, '', f'copy_: {measured["copy_gb_per_s"]:.1f} GB/s (median)'])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--file', help='event file to take events from (default: drawn events)')
    parser.add_argument('--events', type=int, default=1_000_000, help='how many (default: 1,000,000)')
    parser.add_argument('--bins', type=int, default=10)
    parser.add_argument('--size', type=int, nargs=2, default=(260, 346), metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--rounds', type=int, default=9, help='timed turns of each side')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    args = parser.parse_args(argv)
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    height, width = args.size
    if args.file:
        file = open_events(args.file)
        events, height, width = file[:args.events], file.height, file.width
    else:
        events = drawn_events(args.events, height, width)
    measured = measure(events, height, width, args) | dict(
        hardware=hardware(), numpy=np.__version__, size=[height, width], bins=args.bins, rounds=args.rounds)
    print(f'{len(events):,} events, {width}x{height}, {args.bins} bins, {args.rounds} turns')
    print(table(measured))
    if args.out:
        args.out.write_text(json.dumps(measured, indent=1) + '\n')


if __name__ == '__main__':
    main()
