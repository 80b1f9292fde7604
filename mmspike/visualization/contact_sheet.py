"""All frames of a clip on one sheet, one block of rows per stage of a pipeline."""
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mmspike.visualization.page import INK, MARGIN, MUTED, Page

_GAP, _HEADING = 0.04, 0.32  # inches


def contact_sheet(blocks: Sequence[tuple[str, np.ndarray]], title: str = '', columns: int = 8,
                  cell_width: float = 1.2) -> Figure:
    """Draw clips below one another.

    Args:
        blocks: (heading, uint8 RGB frames [T, H, W, 3]); the blocks may differ in length and size.
        title: First line of the sheet.
        columns: Frames per row.
        cell_width: Width of a frame, inches.
    """
    heights = [cell_width * frames.shape[1] / frames.shape[2] for _, frames in blocks]
    rows = [-(-len(frames) // columns) for _, frames in blocks]
    body = sum(_HEADING + count * (height + _GAP) for count, height in zip(rows, heights, strict=True))
    page = Page(2 * MARGIN + columns * (cell_width + _GAP), 0.5 + body + 0.25)
    page.text(MARGIN, 0.36, title, size=11, weight='bold', color=INK)
    top = 0.5
    for (heading, frames), count, height in zip(blocks, rows, heights, strict=True):
        words = f'{len(frames)} frame{"s" * (len(frames) != 1)} of {frames.shape[2]}x{frames.shape[1]}'
        page.text(MARGIN, top + 0.22, f'{heading}: {words}', size=8.5, color=MUTED)
        for t, frame in enumerate(frames):
            page.image(MARGIN + t % columns * (cell_width + _GAP), top + _HEADING + t // columns * (height + _GAP),
                       cell_width, height, frame)
        top += _HEADING + count * (height + _GAP)
    return page.figure
