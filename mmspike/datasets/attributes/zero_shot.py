"""PETA-ZS and RAP-ZS: PETA and RAPv2 divided anew, so that no person is in two splits.

**Source** "Rethinking of Pedestrian Attribute Recognition: A Reliable Evaluation under Zero-Shot Pedestrian Identity
Setting", arXiv:2107.03576. The divisions are pickled, one file for each of five random runs.
"""
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .annotation import AnnotationError
from .community import load_fields, read_partitions
from .peta import read_peta
from .rap import read_rapv2
from .release import Release, partition_name, to_rows

RUNS = tuple(f'dataset_zs_run{run}.pkl' for run in range(5))
PETA_COUNTS = dict(train=11241, val=3826, test=3933, trainval=15067)
RAP_COUNTS = dict(train=17062, val=4648, test=4928, trainval=21710)
TOO_RARE = 'Age46-60'  # left out of RAP-ZS, which evaluates 53 of the 54


def read_peta_zs(root: Path, splits: Sequence[Path] = ()) -> Release:
    """Read PETA with the divisions of PETA-ZS.

    Args:
        root: Folder of PETA.
        splits: Pickled divisions; by default ``dataset_zs_run0.pkl`` and so on in ``root``.
    """
    return _divide(read_peta(root), root, splits, 'PETA-ZS', PETA_COUNTS)


def read_rap_zs(root: Path, splits: Sequence[Path] = ()) -> Release:
    """Read RAPv2 with the divisions of RAP-ZS; arguments as for ``read_peta_zs``."""
    release = _divide(read_rapv2(root), root, splits, 'RAP-ZS', RAP_COUNTS)
    annotation = release.annotation
    kept = [column for column, attribute in enumerate(annotation.attributes) if attribute.name != TOO_RARE]
    annotation.attributes = [annotation.attributes[column] for column in kept]
    annotation.labels = annotation.labels[:, kept]
    return release


def _divide(release: Release, root: Path, paths: Sequence[Path], name: str, published: dict[str, int]) -> Release:
    paths = list(paths) or [root / run for run in RUNS if (root / run).is_file()]
    if not paths:
        raise FileNotFoundError(f'no {RUNS[0]} in {root}, expected the pickled divisions of {name}; name them with '
                                '--splits')
    annotation = release.annotation
    annotation.splits = {}
    for number, path in enumerate(paths):
        splits = _read_division(path, annotation.files)
        for split in ('train', 'val', 'test'):
            annotation.splits[partition_name(split, number)] = splits[split]
        annotation.splits[partition_name('trainval', number)] = np.append(splits['train'], splits['val'])
    annotation.dataset, release.published = name, published
    return release


def _read_division(path: Path, files: list[str]) -> dict[str, np.ndarray]:
    """Either ``train_idx, val_idx, test_idx``, or a whole pickled data set with ``partition``."""
    content = load_fields(path, ())
    if isinstance(content, dict) and 'partition' in content:
        named = [str(file) for file in content.get('image_name', files)]
        if named != files:
            raise AnnotationError(f'{path} divides {len(named)} images, expected the {len(files)} of the release under '
                                  'the same names and in the same order')
        splits = read_partitions(path, content, len(files))
    elif isinstance(content, dict):
        splits = {split: to_rows(content[f'{split}_idx'], len(files), f'{path}: {split}_idx', first=0)
                  for split in ('train', 'val', 'test') if f'{split}_idx' in content}
    else:
        splits = {}
    missing = [split for split in ('train', 'val', 'test') if split not in splits]
    if missing:
        raise AnnotationError(f'{path} has no rows for {", ".join(missing)}; expected train_idx, val_idx and test_idx, '
                              'or partition with train, val and test')
    return splits
