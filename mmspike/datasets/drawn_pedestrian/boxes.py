"""Where a drawn pedestrian shows an attribute: where the picture changes if that attribute alone does."""
from collections.abc import Sequence
from copy import deepcopy

import numpy as np

from .labels import NAMES
from .picture import SUPERSAMPLING, draw_scene


def attribute_boxes(labels: Sequence[int], rng: np.random.Generator, height: int = 128) -> dict[str, list[float]]:
    """Boxes of the attributes that a pedestrian has, and of the ``'person'``, as far as they can be seen.

    Args:
        labels: 1 or 0 for each of ``NAMES``.
        rng: As it was before :func:`draw_pedestrian`; left as it is.
        height: Of the picture in pixels.

    Returns:
        Name -> ``[x1, y1, x2, y2]`` in pixels of the picture.
    """
    labels = list(labels)
    scene = draw_scene(labels, deepcopy(rng), height)
    others = {name: [*labels[:a], 0, *labels[a + 1:]] for a, name in enumerate(NAMES) if labels[a]}
    boxes = {}
    for name, other in {**others, 'person': None}.items():
        differs = (scene != draw_scene(other, deepcopy(rng), height)).any(-1)
        rows, columns = (np.flatnonzero(differs.any(axis)) for axis in (1, 0))
        if len(rows):
            corners = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            boxes[name] = [float(corner) / SUPERSAMPLING for corner in corners]
    return boxes
