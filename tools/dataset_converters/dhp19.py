"""DHP19: recordings of four event cameras and motion capture -> HDF5 for DHP19Dataset.

  python tools/dataset_converters/dhp19.py data/dhp19

ROOT holds    DVS_movies/S{1..17}/session{1..5}/mov{k}.aedat
              Vicon_data/S{s}_{session}_{mov}.mat
              P_matrices/P1.npy ... P4.npy, camera_positions.npy
writes        ROOT/S{s}_session{j}_mov{k}_events.h5, ..._events_label.h5, the matrices, dhp19_report.json

Start and stop, hot pixels, background and lamps follow the release's own programs. What is finished stays when the
command is repeated; recordings that cannot be used are skipped, counted and named in the report. A recording of 10
million events takes some 15 seconds and 2 GB of memory on one core.
"""
import argparse
import json
import re
import shutil
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import h5py
import numpy as np
from common import SHOWN, need_folder
from mmengine.utils import ProgressBar

from mmspike.datasets.attributes.annotation import AnnotationError
from mmspike.datasets.dhp19_files import EVENTS, LABELS, write_events, write_poses
from mmspike.datasets.dhp19_release import LABEL, clean, read_poses, synchronise
from mmspike.datasets.events import EventFileError
from mmspike.datasets.events.aedat2 import HEIGHT, WIDTH, read_aedat2
from mmspike.utils.tool_errors import run_tool

VERSION = 1  # raise it when what is written changes: files of older versions are then written anew
MATRICES = ('P1.npy', 'P2.npy', 'P3.npy', 'P4.npy')
CONFIG = 'configs/hybrid_pose/hybrid_pose_cnn_dhp19.py'
NAME = re.compile(r'S(\d+)/session(\d+)/mov(\d+)\.aedat$')


@dataclass(frozen=True)
class Job:
    """One recording to convert.

    Args:
        name: ``S1_session1_mov1``.
        movie: The recording.
        poses: Its motion capture.
        out: Folder to write to.
        facts: Attributes of what is written; a file with others is written anew.
        compression: As in ``write_events``.
    """

    name: str
    movie: Path
    poses: Path
    out: Path
    facts: tuple[tuple[str, str], ...]
    compression: str | None


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, metavar='ROOT', help='folder of the release: see above')
    parser.add_argument('--out', type=Path, help='folder to write to (default: ROOT)')
    parser.add_argument('--subjects', type=int, nargs='+', help='these persons only (default: all)')
    parser.add_argument('--own-pixel', action='store_true',
                        help='background: an earlier event of the pixel itself keeps an event too, as in the published '
                             'program')
    parser.add_argument('--compression', choices=('none', 'lzf', 'gzip'), default='lzf',
                        help='lzf makes files a third as large and is fast to read (default); none is faster still')
    parser.add_argument('--workers', type=int, default=1,
                        help='recordings at a time; each takes about 2 GB (default: 1)')
    return parser.parse_args(argv)


def find_jobs(args: argparse.Namespace, out: Path) -> list[Job]:
    """The recordings in the release, in the order of their numbers."""
    folder = args.root / 'DVS_movies'
    need_folder(folder, 'S1/session1/mov1.aedat and so on')
    background = 'own pixel and neighbours' if args.own_pixel else 'neighbours'
    facts = (('converter', f'dhp19 {VERSION}'), ('background', background), ('compression', args.compression))
    found = []
    for movie in folder.rglob('*.aedat'):
        match = NAME.search(movie.as_posix())
        if match and (not args.subjects or int(match[1]) in args.subjects):
            numbers = tuple(map(int, match.groups()))
            poses = args.root / 'Vicon_data' / 'S{}_{}_{}.mat'.format(*numbers)
            found.append((numbers, Job('S{}_session{}_mov{}'.format(*numbers), movie, poses, out, facts,
                                       None if args.compression == 'none' else args.compression)))
    return [job for _, job in sorted(found, key=lambda pair: pair[0])]


def convert(job: Job) -> tuple[str, dict]:
    """Convert one recording; what was found, with ``skipped`` where it cannot be used, or ``done`` from before."""
    events, poses = job.out / f'{job.name}{EVENTS}', job.out / f'{job.name}{LABELS}'
    if finished(events, poses, job):
        return job.name, dict(done=True)
    began = time.perf_counter()
    try:
        if not job.poses.is_file():
            raise EventFileError(str(job.movie), f'its motion capture {job.poses} is missing')
        labels = read_poses(job.poses)
        recording = read_aedat2(str(job.movie))
        t = recording.events['t']
        start, stop, rule = synchronise(recording.special, int(t[0]), int(t[-1]), len(labels))
        cleaned = clean(recording, start, stop, dict(job.facts)['background'].startswith('own'))
    except (AnnotationError, EventFileError, ValueError) as error:
        return job.name, dict(skipped=str(error))
    unfinished = [path.with_name(f'.{path.name}.unfinished') for path in (poses, events)]
    write_poses(unfinished[0], labels, np.arange(len(labels)) * LABEL)
    write_events(unfinished[1], cleaned.events, (HEIGHT, WIDTH), stop - start, job.compression, dict(job.facts))
    for path, final in zip(unfinished, (poses, events), strict=True):  # the events last: they say that both are there
        path.replace(final)
    return job.name, dict(rule=rule, seconds_recorded=(stop - start) / 1e6, poses=len(labels), counts=cleaned.counts,
                          per_camera={k: len(one) for k, one in cleaned.events.items()},
                          seconds_taken=round(time.perf_counter() - began, 2))


def finished(events: Path, poses: Path, job: Job) -> bool:
    """Whether a recording was converted before, with the same settings."""
    if not events.is_file() or not poses.is_file():
        return False
    try:
        with h5py.File(events, 'r') as file:
            return all(file.attrs.get(name) == value for name, value in job.facts)
    except OSError:
        return False


def copy_matrices(root: Path, out: Path) -> list[str]:
    """Copy the projections; names of those that are missing."""
    missing = []
    for name in (*MATRICES, 'camera_positions.npy'):
        source = root / 'P_matrices' / name
        if source.is_file():
            shutil.copyfile(source, out / name)
        elif name in MATRICES and not (out / name).is_file():
            missing.append(name)
    return missing


def run(args: argparse.Namespace) -> None:
    need_folder(args.root, 'the folders DVS_movies, Vicon_data and P_matrices of DHP19')
    out = args.out or args.root
    jobs = find_jobs(args, out)
    if not jobs:
        sys.exit(f'{args.root / "DVS_movies"} has no S<number>/session<number>/mov<number>.aedat'
                 f'{" of the persons " + str(args.subjects) if args.subjects else ""}')
    out.mkdir(parents=True, exist_ok=True)
    missing = copy_matrices(args.root, out)
    report_file = out / 'dhp19_report.json'
    report = json.loads(report_file.read_text(encoding='utf-8')) if report_file.is_file() else {}
    bar = ProgressBar(len(jobs))
    with Pool(args.workers) if args.workers > 1 else nullcontext() as pool:
        for name, found in pool.imap_unordered(convert, jobs) if pool else map(convert, jobs):
            if not found.get('done') or name not in report:
                report[name] = found
                report_file.write_text(json.dumps(report, indent=1), encoding='utf-8')
            bar.update()
    bar.file.write('\n')
    tell({job.name: report[job.name] for job in jobs}, out, missing)


def tell(report: dict[str, dict], out: Path, missing: list[str]) -> None:
    skipped = {name: found['skipped'] for name, found in report.items() if 'skipped' in found}
    counts = [found['counts'] for found in report.values() if 'counts' in found]
    print(f'{len(report) - len(skipped)} of {len(report)} recordings are in {out}')
    if counts:
        total = {name: sum(one[name] for one in counts) for name in counts[0]}
        rules = ', '.join(f'{total[name]:,} {name}' for name in total if name not in ('events', 'kept') and total[name])
        print(f'{total["kept"]:,} of {total["events"]:,} events are kept; left out: {rules or "none"}')
    if skipped:
        print(f'{len(skipped)} skipped:')
        print('\n'.join(f'  {name}: {why}' for name, why in list(skipped.items())[:SHOWN]))
        if len(skipped) > SHOWN:
            print(f'  ... all of them in {out / "dhp19_report.json"}')
    if missing:
        print(f'Missing: {", ".join(missing)} (of P_matrices); without them there are no keypoints. Copy them to {out}')
    if len(skipped) == len(report):
        sys.exit('Nothing was converted: every recording was skipped, see above')
    print(f'Train with:\n  python tools/train.py {CONFIG}{options(out)}')


def options(out: Path) -> str:
    """What a command must say where the data are not where the config looks."""
    if out == Path('data/dhp19'):
        return ''
    roots = [f'{part}_dataloader.dataset.data_root={out}' for part in ('train', 'val', 'test')]
    return f' --cfg-options {" ".join(roots)}'


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    run_tool(lambda: run(args))
    return 0


if __name__ == '__main__':
    sys.exit(main())
