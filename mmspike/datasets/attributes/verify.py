"""Looks for what is wrong with a data set: missing images, splits that overlap, persons in two splits, other counts."""
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from mmengine.utils import ProgressBar

from mmspike.utils.lookup import did_you_mean, nearest

from ..image_reader import ImageReadError, read_image
from .annotation import UNKNOWN, Annotation
from .release import Release

SHOWN = 10
FINAL_SPLITS = ('train', 'val', 'test', 'query')


@dataclass
class Report:
    """What was found.

    Args:
        errors: What makes the data set unfit, by its title: the items, all of them.
        warnings: What the user should know.
        splits: Number of images of each split.
        attributes: Per attribute ``name, group, positive, unknown``: shares of the known and of all labels.
        bad_images: Files that are missing or cannot be decoded; ``errors`` says of each which and why.
    """

    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)
    attributes: list[dict] = field(default_factory=list)
    bad_images: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as text."""
        out = [f'{name:>12}  {count} images' for name, count in self.splits.items()]
        out += [f'{entry["name"]:>32}  {entry["group"]:<10} {entry["positive"]:6.1%} positive' +
                (f', {entry["unknown"]:.1%} unknown' if entry['unknown'] else '') for entry in self.attributes]
        out += [f'Warning: {warning}' for warning in self.warnings]
        for title, items in self.errors.items():
            out += [f'Error: {len(items)} {title}:', *(f'  {item}' for item in items[:SHOWN])]
            out += [f'  ... and {len(items) - SHOWN} more'] if len(items) > SHOWN else []
        return out


def verify(release: Release, decode: bool = False, workers: int = 1) -> Report:
    """Check an annotation against itself, the published counts and the images on disk.

    Args:
        release: What to check.
        decode: Open every image of a split, and decode it; otherwise only see whether the files are there.
        workers: Processes that decode.
    """
    annotation, report = release.annotation, Report(warnings=list(release.notes))
    report.splits = {name: len(rows) for name, rows in annotation.splits.items()}
    report.attributes = _count_labels(annotation, report)
    for title, items in (('attribute names that occur twice', _twice(a.name for a in annotation.attributes)),
                         *_check_splits(annotation)):
        if items:
            report.errors[title] = items
    for title, problems in _check_images(release, decode, workers).items():
        if problems:
            report.errors[title] = [f'{file}: {why}' for file, why in problems]
            report.bad_images += [file for file, _ in problems]
    report.warnings += _check_people(annotation) + _check_counts(release)
    return report


def without_unreadable(release: Release, report: Report) -> int:
    """Take the images that a report names as missing or unreadable out of all splits; returns how many."""
    for title in (MISSING, UNREADABLE):
        report.errors.pop(title, None)
    annotation, bad = release.annotation, set(report.bad_images)
    gone = np.array([file in bad for file in annotation.files], bool)
    annotation.splits = {name: rows[~gone[rows]] for name, rows in annotation.splits.items()}
    report.splits = {name: len(rows) for name, rows in annotation.splits.items()}
    return len(bad)


MISSING, UNREADABLE = 'images that are not on disk', 'images that cannot be decoded'


def _check_splits(annotation: Annotation) -> list[tuple[str, list[str]]]:
    """Rows or files that are in two splits of one partition, or twice in one. By file: a file may have two rows."""
    files, out = np.array(annotation.files), []
    for name, rows in annotation.splits.items():
        out.append((f'images twice in the split {name}', _twice(files[rows].tolist())))
    for partition in _partitions(annotation):
        sets = {name: set(files[rows].tolist()) for name, rows in partition.items()}
        pairs = list(combinations([name for name in sets if _base(name) in FINAL_SPLITS], 2))
        pairs += [(one, two) for one in sets for two in sets if _base(one) == 'trainval' and _base(two) == 'test']
        out += [(f'images in both {one} and {two}', sorted(sets[one] & sets[two])) for one, two in pairs]
        parts = {_base(name): found for name, found in sets.items()}
        if {'train', 'val', 'trainval'} <= set(parts):
            title = 'images that are in trainval but neither in train nor val, or the other way round'
            out.append((title, sorted(parts['trainval'] ^ (parts['train'] | parts['val']))))
    return out


def _check_people(annotation: Annotation) -> list[str]:
    """Persons whose images are in two splits, where it is known who they are."""
    if 'id' not in annotation.extras:
        return []
    ids, out = np.array(annotation.extras['id'], object), []
    for partition in _partitions(annotation):
        people = {name: {str(person) for person in ids[rows] if person is not None}
                  for name, rows in partition.items() if _base(name) in ('train', 'val', 'test')}
        for one, two in combinations(people, 2):
            if common := people[one] & people[two]:
                out.append(f'identity leak: {len(common)} persons are in both {one} and {two}, such as '
                           f'{", ".join(sorted(common)[:3])}; figures on {two} are flattered')
    return out


def _check_counts(release: Release) -> list[str]:
    found = {name: len(rows) for name, rows in release.annotation.splits.items()}
    out = [f'{name} has {found.get(name, 0)} images, published are {count}'
           for name, count in release.published.items() if found.get(name, 0) != count]
    out += [f'the split {name} is empty' for name, count in found.items() if not count]
    usual = (*FINAL_SPLITS, 'trainval')
    out += [f'the split {name} ({count} images) is none of {", ".join(usual)}: only a config that names it uses it.'
            f'{did_you_mean(nearest(name, usual))}' for name, count in found.items() if _base(name) not in usual]
    if 'test' not in found:
        out.append(f'there is no split "test", only {", ".join(found)}')
    return out


def _count_labels(annotation: Annotation, report: Report) -> list[dict]:
    labels = annotation.labels
    known, positive = (labels != UNKNOWN).sum(0), (labels == 1).sum(0)
    for split in ('train', 'trainval'):
        if split in annotation.splits:
            chosen = labels[annotation.splits[split]]
            for value, word in ((1, 'no positive'), (0, 'no negative')):
                names = [a.name for a, there in zip(annotation.attributes, (chosen == value).any(0), strict=True)
                         if not there]
                if names:
                    report.warnings.append(f'{split} has {word} example of {", ".join(names)}')
    return [dict(name=a.name, group=a.group, positive=float(positive[i] / max(1, known[i])),
                 unknown=float(1 - known[i] / max(1, len(labels)))) for i, a in enumerate(annotation.attributes)]


def _check_images(release: Release, decode: bool, workers: int) -> dict[str, list[tuple[str, str]]]:
    """Files and what is wrong with them, by title."""
    used = np.unique(np.concatenate([np.zeros(0, np.int64), *release.annotation.splits.values()]))
    files = list(dict.fromkeys(release.annotation.files[row] for row in used))
    missing = [file for file in files if not os.path.isfile(release.images / file)]
    out = {MISSING: [(file, f'not in {release.images}') for file in missing]}
    if decode:
        gone = set(missing)
        out[UNREADABLE] = _decode(release.images, [file for file in files if file not in gone], workers)
    return out


def _decode(images: Path, files: list[str], workers: int) -> list[tuple[str, str]]:
    if not files:
        return []
    bar, bad = ProgressBar(len(files)), []
    with Pool(max(1, workers)) as pool:
        results = pool.imap(_problem, [(str(images / file), file) for file in files], chunksize=32)
        for number, problem in enumerate(results, 1):
            bad += [problem] if problem else []
            if number % max(1, len(files) // 200) == 0 or number == len(files):
                bar.update(number - bar.completed)
    bar.file.write('\n')
    return bad


def _problem(job: tuple[str, str]) -> tuple[str, str] | None:
    path, file = job
    try:
        read_image(path)
    except ImageReadError as error:
        return file, error.why
    return None


def _partitions(annotation: Annotation) -> list[dict[str, np.ndarray]]:
    """The splits of each partition: ``train, test``, then ``train_1, test_1``."""
    out: dict[str, dict] = {}
    for name, rows in annotation.splits.items():
        out.setdefault(name.removeprefix(_base(name)), {})[name] = rows
    return list(out.values())


def _base(name: str) -> str:
    """``train_1`` -> ``train``."""
    head, _, number = name.rpartition('_')
    return head if head and number.isdecimal() else name


def _twice(items: Iterable) -> list[str]:
    return [str(item) for item, count in Counter(items).items() if count > 1]
