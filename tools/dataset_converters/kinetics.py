"""Kinetics, or any folder of videos by class -> lists for VideoDataset.

  python tools/dataset_converters/kinetics.py data/kinetics400
  python tools/dataset_converters/kinetics.py data/kinetics400 --annotations train.csv validate.csv
  python tools/dataset_converters/kinetics.py my_videos --val 0.2

ROOT  one of
      videos_train/<class>/<video>, videos_val/<class>/<video>   (also: train, val)
      the same without class folders, or in no folders at all, with the official CSV files
      <class>/<video>: your own; --val of each class goes to the validation list

Writes kinetics400_{train,val}_list_videos.txt, classes.txt and kinetics400_report.json into ROOT, and prints a command
that trains on them. Labels are the classes in alphabetical order, as everywhere for Kinetics.
"""
import csv
import random
import sys
from pathlib import Path

from common import Split, convert, find_videos, need_folder, parser

FOLDERS = dict(train=('videos_train', 'train'), val=('videos_val', 'val'), test=('videos_test', 'test'))
SPLITS = dict(train='train', val='val', validate='val', validation='val', test='test')


def split_folders(root: Path) -> dict[str, Path]:
    """The folders of the splits that are there."""
    return {split: root / name for split, names in FOLDERS.items() for name in names if (root / name).is_dir()}


def by_class(folder: Path) -> dict[str, list[str]]:
    """Videos by the first folder of their path."""
    out: dict[str, list[str]] = {}
    for path in find_videos(folder):
        if '/' in path:
            out.setdefault(path.split('/')[0], []).append(path)
    return out


def from_folders(folders: dict[str, Path]) -> tuple[list[str], dict[str, list[tuple[str, int]]]]:
    """Classes and entries of ``<split>/<class>/<video>``."""
    found = {split: by_class(folder) for split, folder in folders.items()}
    classes = sorted({name for videos in found.values() for name in videos})
    return classes, {split: [(path, classes.index(name)) for name in sorted(videos) for path in videos[name]]
                     for split, videos in found.items()}


def divide(root: Path, share: float, seed: int) -> tuple[list[str], dict[str, list[tuple[str, int]]]]:
    """Classes and entries of ``<class>/<video>``; a share of each class, at least one of two, is for validation."""
    found = by_class(root)
    classes, rng = sorted(found), random.Random(seed)
    entries: dict = dict(train=[], val=[])
    for label, name in enumerate(classes):
        paths = rng.sample(found[name], len(found[name]))
        held_out = min(len(paths) - 1, max(1, round(share * len(paths)))) if share > 0 else 0
        for split, part in (('val', paths[:held_out]), ('train', paths[held_out:])):
            entries[split] += [(path, label) for path in sorted(part)]
    return classes, {split: rows for split, rows in entries.items() if rows}


def from_csv(files: list[Path], folders: dict[str, Path], root: Path) -> tuple[list[str], dict]:
    """Classes and entries of the official CSV files (label, youtube_id, time_start, time_end, split)."""
    rows = []
    for file in files:
        with open(file, newline='', encoding='utf-8') as stream:
            reader = csv.DictReader(stream)
            needed = {'label', 'youtube_id', 'time_start', 'time_end', 'split'}
            if not needed <= set(reader.fieldnames or ()):
                sys.exit(f'{file}: the columns {sorted(needed)} are needed, found {reader.fieldnames}')
            rows += list(reader)
    classes = sorted({row['label'] for row in rows})
    stems = {folder: {Path(path).stem: path for path in find_videos(folder)} for folder in {*folders.values(), root}}
    entries: dict = {}
    for row in rows:
        split = SPLITS.get(row['split'])
        if split is None:
            sys.exit(f'split {row["split"]!r} is unknown; expected one of {", ".join(SPLITS)}')
        start, end = (int(float(row[key])) for key in ('time_start', 'time_end'))
        full = f'{row["youtube_id"]}_{start:06d}_{end:06d}'
        there = stems[folders.get(split, root)]
        path = there.get(full) or there.get(row['youtube_id']) or f'{full}.mp4'
        entries.setdefault(split, []).append((path, classes.index(row['label'])))
    return classes, entries


def train_command(out: Path, folders: dict[str, Path], root: Path, name: str, num_classes: int,
                  validation: str) -> str:
    """How to train on the lists with the shipped config."""
    options = [f'model.head.num_classes={num_classes}']
    for loader, split in (('train', 'train'), ('val', validation), ('test', validation)):
        folder = folders.get(split, root)
        prefix = folder.relative_to(out) if folder.is_relative_to(out) else folder.resolve()
        dataset = f'{loader}_dataloader.dataset'
        options += [f"{dataset}.data_root='{out}'", f"{dataset}.data_prefix.video='{prefix}'",
                    f"{dataset}.ann_file='{name}_{split}_list_videos.txt'"]
    return 'python tools/train.py configs/respike/respike_r18_kinetics400.py --cfg-options \\\n    ' + (
        ' \\\n    '.join(options))


def main(argv: list[str] | None = None) -> int:
    args = parser(__doc__, check=None)
    args.add_argument('root', type=Path)
    args.add_argument('--annotations', type=Path, nargs='+', default=[], help='official CSV files')
    args.add_argument('--val', type=float, default=0.2, help='share of each class for validation, of <class>/<video>')
    args.add_argument('--seed', type=int, default=0, help='of that division')
    args.add_argument('--name', default='kinetics400', help='first part of the list names, such as kinetics700')
    args = args.parse_args(argv)
    need_folder(args.root, 'videos_train/<class>/<video> and videos_val/<class>/<video>, or <class>/<video>')
    if not 0 <= args.val < 1:
        sys.exit(f'--val {args.val}: expected a share from 0 to below 1')
    folders = split_folders(args.root)
    if args.annotations:
        classes, entries = from_csv(args.annotations, folders, args.root)
    else:
        folders = {split: folder for split, folder in folders.items() if by_class(folder)}  # not a class named train
        classes, entries = from_folders(folders) if folders else divide(args.root, args.val, args.seed)
    if not classes:
        sys.exit(f'{args.root} holds no videos in class folders; expected <class>/<video>, or give --annotations')
    splits = [Split(f'{args.name}_{split}_list_videos.txt', folders.get(split, args.root), rows, split == 'train')
              for split, rows in entries.items()]
    out = args.out or args.root
    convert(args.name, out, splits, classes, args.check, args.workers)
    validation = 'val' if 'val' in entries else 'train'
    if validation == 'train':
        print('No validation list (put videos into videos_val, or give --val a share above 0): '
              'the command below validates on the training videos')
    print(f'\nTrain on them with\n  {train_command(out, folders, args.root, args.name, len(classes), validation)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
