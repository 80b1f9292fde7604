"""Resident memory and latency of EventPoseStreamer over many simulated minutes of the synthetic figure.

    python benchmarks/pose_stream.py CONFIG [CHECKPOINT] --minutes 10

Ten seconds of a recording are fed again and again, later each time, in portions of 7 ms. Memory is the process's
resident set; the first minute is warm-up. One thread; latencies depend on what else the machine does.
"""
import argparse
import os
import resource
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import torch
from mmengine.config import DictAction

from mmspike.apis import EventPoseStreamer
from mmspike.datasets.events import make_events
from mmspike.datasets.synthetic_poses import make_sequence

SECONDS, CAMERA, PORTION = 10, 3, 7_000


def resident() -> float:
    """MiB, now."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def portions(events: np.ndarray, shift: int) -> list[np.ndarray]:
    events = events.copy()
    events['t'] += shift
    edges = np.searchsorted(events['t'], np.arange(shift, shift + SECONDS * 10**6, PORTION)[1:])
    return np.split(events, edges)


def main(argv: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', type=Path)
    parser.add_argument('checkpoint', type=Path, nargs='?')
    parser.add_argument('--minutes', type=float, default=10, help='simulated')
    parser.add_argument('--bin-ms', type=int, default=10, help='length of a bin (default: %(default)s)')
    parser.add_argument('--size', type=int, default=64, help='height and width of the sensor')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='put over the config: key=value')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    columns = make_sequence(2, SECONDS, (CAMERA,), args.size)[1][CAMERA]
    events = make_events(*(columns[name] for name in 'txyp'))
    stream = EventPoseStreamer(args.config, args.checkpoint, (args.size, args.size), 1000 * args.bin_ms,
                               cfg_options=args.cfg_options)
    turns, updates, memory = round(args.minutes * 60 / SECONDS), 0, []
    for turn in range(turns):
        for portion in portions(events, turn * SECONDS * 10**6):
            updates += len(stream.feed(portion))
        memory.append(resident())
        if (turn + 1) % 6 == 0:
            print(f'{(turn + 1) * SECONDS / 60:5.1f} min: {memory[-1]:.2f} MiB resident', flush=True)
    warm = memory[min(5, len(memory) - 1)]
    figures = dict(updates=updates, growth_mib=memory[-1] - warm, peak_growth_mib=max(memory[5:] or memory) - warm,
                   **stream.latency())
    print(', '.join(f'{name} {value:.2f}' if isinstance(value, float) else f'{name} {value}'
                    for name, value in figures.items()))
    return figures


if __name__ == '__main__':
    main()
