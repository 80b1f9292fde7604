"""Boxes of attributes in numbers: boxes found against boxes annotated."""
from collections.abc import Sequence

import numpy as np

HITS = (0.3, 0.5)  # an overlap from here on counts as found


def box_iou(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union of pairs of boxes; 0 where one is missing (NaN).

    Args:
        found: ``[x1, y1, x2, y2]``. **Shape** [N, 4].
        true: The same.

    Returns:
        np.ndarray: **Shape** [N].
    """
    found, true = np.asarray(found, float), np.asarray(true, float)
    low, high = np.maximum(found[:, :2], true[:, :2]), np.minimum(found[:, 2:], true[:, 2:])
    shared = (high - low).clip(min=0).prod(1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (found, true)]
    return np.nan_to_num(shared / np.where(sum(areas) > shared, sum(areas) - shared, 1))


def localization_rows(found: np.ndarray, true: np.ndarray, baseline: np.ndarray, names: Sequence[str]) -> list[dict]:
    """How well each attribute is found, beside a box that knows nothing of it.

    Args:
        found: Boxes; NaN where none was found. **Shape** [N, A, 4].
        true: Annotated boxes; NaN where there is none, which leaves the image out. **Shape** [N, A, 4].
        baseline: A box per image, such as that of the whole person. **Shape** [N, 4].
        names: Of the A attributes.

    Returns:
        list[dict]: Per attribute, and last their mean: ``attribute, images, iou, baseline, found_0.3, found_0.5``
        (mean overlap of both, share of images with at least so much); None where no image has a box.
    """
    rows = []
    for a, name in enumerate(names):
        there = ~np.isnan(true[:, a]).any(1)
        row = dict(attribute=name, images=int(there.sum()))
        ious = box_iou(found[there, a], true[there, a])
        values = dict(iou=ious, baseline=box_iou(baseline[there], true[there, a]),
                      **{f'found_{share}': ious >= share for share in HITS})
        rows.append(row | {key: float(value.mean()) if len(value) else None for key, value in values.items()})
    known = [row for row in rows if row['images']]
    mean = {key: float(np.mean([row[key] for row in known])) if known else None for key in rows[0] if key not in
            ('attribute', 'images')} if rows else {}
    return [*rows, dict(attribute='mean of attributes', images=sum(row['images'] for row in rows), **mean)]
