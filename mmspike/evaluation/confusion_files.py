"""A confusion matrix on disk: numbers for programs, a picture for people."""
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

MAX_NAMED = 60  # beyond this many classes names are unreadable


def save_confusion_matrix(matrix: np.ndarray, path: str | Path, classes: Sequence[str] | None = None) -> list[Path]:
    """Write ``path`` with the suffixes ``.npy``, ``.json`` and ``.png``.

    Args:
        matrix (np.ndarray): Counts, rows are true classes. **Shape** [K, K].
        path (str | Path): Any suffix among the three is replaced; folders are made.
        classes (sequence, optional): K names.

    Returns:
        list[Path]: The files.
    """
    path = Path(path)
    stem = path.with_suffix('') if path.suffix in ('.npy', '.json', '.png') else path
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(stem.name + suffix) for suffix in ('.npy', '.json', '.png')]
    names = list(classes or ())
    if len(names) != len(matrix):
        names = [str(k) for k in range(len(matrix))]
    np.save(files[0], matrix)
    files[1].write_text(json.dumps(dict(classes=names, rows='true', columns='predicted', counts=matrix.tolist())))
    draw_confusion_matrix(matrix, names).savefig(files[2])
    return files


def draw_confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the share of each true class that went to each prediction; rows without samples stay white."""
    total = matrix.sum(1, keepdims=True)
    share = np.where(total > 0, matrix / np.maximum(total, 1), np.nan)
    side = min(24.0, 4 + 0.25 * len(matrix))
    figure = Figure(figsize=(side, side), dpi=100, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap='viridis', vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, shrink=0.8, label='share of the true class')
    axes.set(xlabel='predicted', ylabel='true', title=f'{int(matrix.trace())} of {int(matrix.sum())} right')
    if len(matrix) <= MAX_NAMED:
        axes.set_xticks(range(len(matrix)), classes, rotation=90)
        axes.set_yticks(range(len(matrix)), classes)
    return figure
