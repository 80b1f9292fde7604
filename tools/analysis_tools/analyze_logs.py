"""Curves and training time from the logs of one or more runs.

    python tools/analysis_tools/analyze_logs.py plot_curve work_dirs/a work_dirs/b --keys loss acc/top1 --out curves.png
    python tools/analysis_tools/analyze_logs.py cal_train_time work_dirs/a

A run is its work directory, one of its time-stamped folders, or a ``scalars.json``. A work directory holds one log per
start; a resumed one continues the curve where it resumed.
"""
import argparse
import json
import statistics
from pathlib import Path

from matplotlib.figure import Figure


def find_logs(run: Path) -> list[Path]:
    """The scalar logs of a run, oldest first."""
    logs = [run] if run.is_file() else sorted(run.glob('**/vis_data/scalars.json'), key=lambda path: str(path.parent))
    if not logs:
        raise SystemExit(f'{run}: no vis_data/scalars.json in it or below it; expected the --work-dir of a training '
                         'that has logged at least once')
    return logs


def load_records(run: Path) -> list[dict]:
    """All log lines of a run; what a later start did again replaces what an earlier one had logged."""
    records: list[dict] = []
    for log in find_logs(run):
        lines = _lines(log)
        for training in (True, False):  # each kind counts its own steps: iterations, or epochs of validation
            steps = [line['step'] for line in lines if ('iter' in line) == training]
            if steps:
                records = [r for r in records if ('iter' in r) != training or r['step'] < min(steps)]
        records += lines
    return records


def _lines(log: Path) -> list[dict]:
    texts = [line for line in log.read_text(errors='replace').splitlines() if line.strip()]
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError as error:
            if number < len(texts):
                raise SystemExit(f'{log}: entry {number} is no line of a log: {text[:60]!r}; expected the scalars.json '
                                 'of a training') from error
            # else: the run was killed while it wrote its last line
    return lines


def curve(records: list[dict], key: str) -> tuple[list, list, str]:
    """Steps, values and the steps' unit of one key."""
    found = [record for record in records if key in record]
    if not found:
        known = sorted({name for record in records for name in record} - {'step', 'iter', 'epoch'})
        raise SystemExit(f'no value named {key!r} was logged; known are {", ".join(known)}')
    by_epoch = 'iter' not in found[0] and any('epoch' in record for record in records)
    return [r['step'] for r in found], [r[key] for r in found], 'epoch' if by_epoch else 'iteration'


def plot_curve(args: argparse.Namespace) -> None:
    runs = {name: load_records(run) for name, run in zip(_names(args), args.runs, strict=True)}
    figure = Figure(figsize=(7, 3.2 * len(args.keys)), layout='constrained')
    if args.title:
        figure.suptitle(args.title)
    for axes, key in zip(figure.subplots(len(args.keys), squeeze=False)[:, 0], args.keys, strict=True):
        for name, records in runs.items():
            steps, values, unit = curve(records, key)
            # few points are marked, so that a single one is seen at all
            axes.plot(steps, values, label=name, linewidth=1.4, marker='o' if len(steps) < 30 else None, markersize=3)
        axes.set_xlabel(unit)
        axes.set_ylabel(key)
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
        if len(runs) > 1:
            axes.legend(frameon=False, fontsize=8)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=130)
    print(f'written to {args.out}')


def train_time(records: list[dict], skip_first: bool = True) -> dict[int, float]:
    """Mean seconds per iteration of each epoch; an epoch's first record holds the start of its workers."""
    epochs: dict[int, list[float]] = {}
    for record in records:
        if 'iter' in record and 'time' in record:
            epochs.setdefault(record.get('epoch', 1), []).append(record['time'])
    if not epochs:
        raise SystemExit("no training time was logged; expected lines with 'iter' and 'time', as IterTimerHook and "
                         'LoggerHook write them')
    return {epoch: statistics.fmean(times[1:] if skip_first and len(times) > 1 else times)
            for epoch, times in epochs.items()}


def cal_train_time(args: argparse.Namespace) -> None:
    for name, run in zip(_names(args), args.runs, strict=True):
        epochs = train_time(load_records(run), not args.include_first)
        slowest, fastest = max(epochs, key=epochs.get), min(epochs, key=epochs.get)
        print(f'{name}: {len(epochs)} epochs')
        print(f'  mean          {statistics.fmean(epochs.values()):.4f} s per iteration')
        print(f'  slowest epoch {slowest}: {epochs[slowest]:.4f} s, fastest epoch {fastest}: {epochs[fastest]:.4f} s')
        if len(epochs) > 1:
            print(f'  deviation between epochs {statistics.stdev(epochs.values()):.4f} s')


def _names(args: argparse.Namespace) -> list[str]:
    """What to call the runs: --legend, else their paths (a curve per run, so the names must differ)."""
    names = args.legend or [str(run) for run in args.runs]
    if len(names) != len(args.runs) or len(set(names)) != len(names):
        raise SystemExit(f'{len(args.runs)} runs are called {names}; expected as many names, all different')
    return names


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    jobs = parser.add_subparsers(dest='job', required=True)
    plot = jobs.add_parser('plot_curve', help='one diagram per key, one curve per run')
    plot.add_argument('--keys', nargs='+', default=['loss'], metavar='KEY', help='logged values, such as loss acc/top1')
    plot.add_argument('--title', help='above the diagrams')
    plot.add_argument('--out', type=Path, default=Path('curves.png'), help='picture to write (default: %(default)s)')
    plot.set_defaults(run=plot_curve)
    timing = jobs.add_parser('cal_train_time', help='seconds per training iteration')
    timing.add_argument('--include-first', action='store_true', help="count each epoch's first record too")
    timing.set_defaults(run=cal_train_time)
    for job in (plot, timing):
        job.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='work directory or scalars.json')
        job.add_argument('--legend', nargs='+', metavar='NAME', help='names of the runs (default: their paths)')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    args.run(args)


if __name__ == '__main__':
    main()
