"""What is in an event file: length, rate, sensor, polarity, order of time, hot pixels.

    python tools/analysis_tools/event_statistics.py FILE ... [--stream cam3] [--out statistics.json]

Every format of docs/datasets.md; of a file with several cameras each one, of a folder each file in it that is named
like one (but for text and labels, which are asked for by name). Files that are out of order or have events
outside of the sensor are described too, with what is wrong; a file that cannot be read is named, and the others go on.
The sums of several come last.
"""
import argparse
import json
import sys
from pathlib import Path

from mmspike.datasets.events import FORMATS, EventFileError, event_streams, identify, open_events
from mmspike.datasets.events.statistics import Statistics, describe
from mmspike.utils.tool_errors import run_tool

US = 1e-6


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', metavar='FILE')
    parser.add_argument('--stream', help='this camera only (default: all)')
    parser.add_argument('--format', help='format of the files, where content and name do not tell')
    parser.add_argument('--size', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH'),
                        help='sensor, where a file does not say')
    parser.add_argument('--hot', type=float, default=50, metavar='FACTOR',
                        help='a pixel is hot that has so many times the events of the mean pixel with events, and at '
                             'least 100 (default: %(default)s)')
    parser.add_argument('--out', type=Path, help='JSON file for the same')
    return parser.parse_args(argv)


def text(name: str, kind: str, found: Statistics) -> str:
    """One stream as lines."""
    per_pixel = found.rate / (found.height * found.width)
    hot = ', '.join(f'({x}, {y}): {count:,}' for x, y, count in found.hottest)
    lines = [f'{name}: {kind}, {found.width}x{found.height}'
             f'{"" if found.sized else " (as much as the events need; the file does not say)"}',
             f'  events     {found.events:,}, {found.positive:.1%} brighter',
             f'  time       {found.start * US:.6f} s to {found.stop * US:.6f} s, {found.seconds:.6f} s long',
             f'  rate       {found.rate:,.0f} per second, {per_pixel:.3f} per second and pixel; at most '
             f'{found.peak_rate:,.0f} per second in 10 ms',
             f'  pixels     {found.active:.1%} of {found.height * found.width:,} have events; {found.hot} hot',
             f'  most in    {hot or "-"}']
    if found.steps_back:
        lines.append(f'  WRONG      time goes back {found.steps_back:,} times, first at event {found.first_step_back}; '
                     'open it with sort=True')
    if found.outside:
        lines.append(f'  WRONG      {found.outside:,} events outside of the sensor; open it with drop_outside=True, or '
                     'give its size')
    return '\n'.join(lines)


def total(found: list[Statistics]) -> str:
    """What all streams have together, as a line."""
    events, seconds = (sum(getattr(one, name) for one in found) for name in ('events', 'seconds'))
    wrong = sum(bool(one.steps_back or one.outside) for one in found)
    return f'all {len(found)} streams: {events:,} events in {seconds:.6f} s' + (f', {wrong} WRONG' if wrong else '')


def files_in(path: str) -> list[str]:
    """The file itself, or the event files in a folder and those below it."""
    if not Path(path).is_dir():
        return [path]
    suffixes = {suffix for kind in FORMATS if kind.name != 'text' for suffix in kind.suffixes}
    return sorted(str(file) for file in Path(path).rglob('*')
                  if file.suffix.lower() in suffixes and not file.stem.endswith(('label', 'labels'))) or [path]


def look(file: str, args: argparse.Namespace) -> dict[str, Statistics]:
    """Statistics of the streams of a file by name."""
    streams = [args.stream] if args.stream else event_streams(file, args.format)
    if not streams:
        raise EventFileError(file, 'there are no events in it')
    found = {}
    for stream in streams:
        events = open_events(file, stream, format=args.format, size=args.size and tuple(args.size), check=False)
        found[f'{file}{" " if stream else ""}{stream}'] = describe(events, args.hot)
    return found


def run(args: argparse.Namespace) -> None:
    streams, kinds, unread, files = {}, {}, [], [file for path in args.files for file in files_in(path)]
    for file in files:
        try:
            kind = identify(file, args.format).name
            for name, found in look(file, args).items():
                print(text(name, kind, found), flush=True)
                streams[name], kinds[name] = found, kind
        except (EventFileError, FileNotFoundError, ImportError) as error:
            print(f'NOT READ: {error}' if file in str(error) else f'NOT READ: {file}: {error}', flush=True)
            unread.append(file)
    if len(streams) > 1:
        print(total(list(streams.values())))
    if args.out:
        everything = {name: dict(vars(found), format=kinds[name]) for name, found in streams.items()}
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(everything, indent=1) + '\n', encoding='utf-8')
    if unread:
        sys.exit(f'{len(unread)} of {len(files)} files cannot be read, see above')


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    run_tool(lambda: run(args))
    return 0


if __name__ == '__main__':
    sys.exit(main())
