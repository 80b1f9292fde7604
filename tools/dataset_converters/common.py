"""What the converters share: find the videos, open them, write lists, and say what was found."""
import argparse
import json
import os
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

from mmengine.utils import ProgressBar

from mmspike.datasets import VideoReadError, open_video
from mmspike.datasets.video_list import VIDEO_SUFFIXES

SHOWN = 10


@dataclass
class Split:
    """One list to write.

    Args:
        list_name (str): File name of the list.
        folder (Path): Where its paths start.
        entries (list): Pairs of path and label.
        training (bool): Videos that cannot be read are left out of training lists; in test lists they stay, and count
            as wrong.
    """

    list_name: str
    folder: Path
    entries: list[tuple[str, int]]
    training: bool


def parser(description: str, check: str | None) -> argparse.ArgumentParser:
    """Arguments of every converter; ``check`` is what is done to each video by default."""
    out = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument('--out', type=Path, help='folder for the lists (default: see above)')
    out.add_argument('--check', nargs='?', const='open', default=check, choices=('open', 'decode'),
                     help='open every video: counts its frames and finds truncated files (milliseconds each); decode: '
                          'decode all its frames too, which finds damage in the middle' + (
                              f' (default: {check})' if check else ' (default: no video is opened)'))
    out.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes that open videos')
    return out


def find_videos(folder: Path) -> list[str]:
    """Paths of all videos under a folder, relative to it, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*')
                  if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())


def need_folder(folder: Path, what: str) -> None:
    """Leave with a message where a folder is missing or empty."""
    if not folder.is_dir():
        sys.exit(f'{folder}: no such folder; expected {what}')
    if not any(folder.iterdir()):
        sys.exit(f'{folder} is empty; expected {what}')


def convert(name: str, out: Path, splits: list[Split], classes: list[str], check: str | None, workers: int) -> dict:
    """Write the lists, the class file and the report.

    Args:
        name (str): Of the data set; the report is ``<name>_report.json``.
        out (Path): Folder to write to.
        splits (list): The lists.
        classes (list): Class names in the order of the labels, for ``classes.txt``.
        check (str, optional): ``'open'``, ``'decode'`` or nothing.
        workers (int): Processes.

    Returns:
        dict: The report.
    """
    on_disk = {folder: find_videos(folder) for folder in {split.folder for split in splits}}
    by_lower = {folder: {path.lower(): path for path in paths} for folder, paths in on_disk.items()}
    report: dict = dict(lists={}, missing=[], unreadable={}, unlisted=[])
    listed = set()
    for split in splits:
        # The official lists of UCF101 spell a class in two ways (HandStandPushups, HandstandPushups)
        found = [(by_lower[split.folder].get(path.lower()), label) for path, label in split.entries]
        report['missing'] += [f'{split.list_name}: {path}' for (path, _), (real, _) in
                              zip(split.entries, found, strict=True) if real is None]
        split.entries = [(path, label) for path, label in found if path is not None]
        listed.update(split.folder / path for path, _ in split.entries)
    report['unlisted'] = [str(folder / path) for folder, paths in on_disk.items() for path in paths
                          if folder / path not in listed]
    frames = _check(sorted(listed), check, workers) if check else {}
    report['unreadable'] = {str(path): why for path, why in frames.items() if isinstance(why, str)}

    out.mkdir(parents=True, exist_ok=True)
    for split in splits:
        kept = [(path, frames.get(split.folder / path), label) for path, label in split.entries]
        if split.training:
            kept = [row for row in kept if not isinstance(row[1], str)]
        (out / split.list_name).write_text(''.join(_line(*row) for row in kept), encoding='utf-8')
        per_class = Counter(classes[label] for _, _, label in kept)
        report['lists'][split.list_name] = dict(videos=len(kept), classes=len(per_class), per_class=per_class)
    (out / 'classes.txt').write_text(''.join(f'{name}\n' for name in classes), encoding='utf-8')
    (out / f'{name}_report.json').write_text(json.dumps(report, indent=1), encoding='utf-8')
    _print(report, out, name, len(classes))
    return report


def _line(path: str, frames: int | str | None, label: int) -> str:
    path = f'./{path}' if path.startswith('#') else path  # a line that starts with # is a comment
    return f'{path} {frames} {label}\n' if isinstance(frames, int) else f'{path} {label}\n'


def _check(paths: list[Path], mode: str, workers: int) -> dict[Path, int | str]:
    """Number of frames of each video, or what is wrong with it."""
    print(f'Opening {len(paths)} videos with {workers} processes', flush=True)
    if not paths:
        return {}
    jobs, bar, out = [(path, mode) for path in paths], ProgressBar(len(paths)), {}
    step = max(1, len(paths) // 200)
    with Pool(workers) if workers > 1 else nullcontext() as pool:
        for path, result in pool.imap_unordered(_open, jobs, chunksize=8) if pool else map(_open, jobs):
            out[path] = result
            if len(out) % step == 0 or len(out) == len(paths):
                bar.update(len(out) - bar.completed)
    print(flush=True)
    return out


def _open(job: tuple[Path, str]) -> tuple[Path, int | str]:
    path, mode = job
    try:
        reader = open_video(str(path))
        if mode == 'decode':
            reader.read([len(reader) - 1])
        return path, len(reader)
    except VideoReadError as error:
        return path, error.why


def _print(report: dict, out: Path, name: str, num_classes: int) -> None:
    for list_name, facts in report['lists'].items():
        print(f'{out / list_name}: {facts["videos"]} videos of {facts["classes"]} classes')
    print(f'{out / "classes.txt"}: {num_classes} classes')
    unreadable = [f'{path}: {why}' for path, why in report['unreadable'].items()]
    for what, items in (('listed, but not on disk (left out)', report['missing']),
                        ('on disk, but not listed', report['unlisted']),
                        ('unreadable (left out of training lists, kept in test lists)', unreadable)):
        if items:
            print(f'{len(items)} {what}:')
            print('\n'.join(f'  {item}' for item in items[:SHOWN]))
            if len(items) > SHOWN:
                print(f'  ... all of them in {out / f"{name}_report.json"}')
