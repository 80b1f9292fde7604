"""Where on a person the groups of attributes are looked for, and boxes and keypoints of single images."""
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmspike.structures.attribute_groups import GroupError, Place

from .annotation import AnnotationError

# Groups of the published lists: regions and scales of SSPNet, keypoints in the order of COCO
COMMON = Path(__file__).with_name('group_places.json')
PERSON = 'person'  # the box of the whole body


def group_places(stated: Mapping[str, Mapping], where: str) -> dict[str, dict]:
    """Group -> ``dict(region=..., scale=..., keypoints=...)``: what a file states, over the common groups.

    Args:
        stated: "groups" of an annotation file.
        where: The file, for messages.

    Raises:
        AnnotationError: A group that is no place.
    """
    for name, values in stated.items():
        try:
            Place.read(values, name)
        except GroupError as error:
            raise AnnotationError(f'{where}: "groups": {error}') from error
    return {**json.loads(COMMON.read_text(encoding='utf-8')), **stated}


def box_table(boxes: Mapping[str, Sequence[float]], attributes: Sequence[str], where: str) -> np.ndarray:
    """Boxes of one image, one row per attribute and a last one for the whole person; NaN where there is none.

    Args:
        boxes: Attribute, or ``'person'`` -> ``[x1, y1, x2, y2]`` in pixels.
        attributes: Names, in order.
        where: The image, for messages.

    Returns:
        float32 **Shape** [A + 1, 4].

    Raises:
        AnnotationError: A box of something else, or no box.
    """
    names = [*attributes, PERSON]
    table = np.full((len(names), 4), np.nan, np.float32)
    for name, box in boxes.items():
        if name not in names:
            raise AnnotationError(f'{where}: a box of {name!r}, expected one of an attribute, or of {PERSON!r}')
        if np.shape(box) != (4,) or not (box[0] < box[2] and box[1] < box[3]):
            raise AnnotationError(f'{where}: the box of {name!r} is {box!r}, expected [x1, y1, x2, y2] in pixels with '
                                  'x1 < x2 and y1 < y2')
        table[names.index(name)] = box
    return table


def keypoint_table(points: Sequence[Sequence[float]], where: str) -> np.ndarray:
    """Keypoints of one image.

    Args:
        points: ``[x, y]`` or ``[x, y, visible]`` each, in pixels.
        where: The image, for messages.

    Returns:
        float32 **Shape** [1, K, 3], the first axis being persons, as transforms expect it.

    Raises:
        AnnotationError: They are no points.
    """
    try:
        table = np.asarray(points, np.float32)
    except (TypeError, ValueError):
        table = np.zeros(0, np.float32)
    if table.ndim != 2 or table.shape[1] not in (2, 3):
        raise AnnotationError(f'{where}: the keypoints are {str(points)[:80]}, expected [[x, y, visible], ...] in '
                              'pixels, visible being 1 or 0')
    if table.shape[1] == 2:
        table = np.concatenate([table, np.ones_like(table[:, :1])], 1)
    return table[None]
