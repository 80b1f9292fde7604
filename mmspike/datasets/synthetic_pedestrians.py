"""Drawn pedestrians as real image files in the layout of PA-100K: twelve attributes in four groups.

Attributes sit where they do on a body (glasses are 12x3 pixels), are as unequal and as correlated as in real sets, and
have their decoys: two dots that are no glasses, bags that nobody holds, bars that are no stripes.
"""
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log
from mmengine.utils import ProgressBar
from scipy.io import savemat

from mmspike.registry import DATASETS

from .attribute_dataset import AttributeDataset
from .attributes import save_annotation
from .attributes.pa100k import SPLITS, read_pa100k
from .drawn_pedestrian import NAMES, attribute_boxes, draw_labels, draw_pedestrian
from .write_once import write_once

VERSION = 3  # raise it when the drawing changes: sets on disk are then written anew
NUM_IMAGES = dict(train=12000, val=1500, test=1500)
STRIDE = 16  # a side is a multiple of it, as the backbones want it
JPEG_QUALITY = 95
BAR_UPDATES = 40  # of the progress bar: a log file that keeps them all stays readable


def make_pedestrian(split: str, index: int, height: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Make pedestrian ``index`` of a split, the same one whatever else is made.

    Args:
        split: ``'train'``, ``'val'`` or ``'test'``.
        index: From 0.
        height: Of the picture in pixels.

    Returns:
        uint8 ``[height, height / 2, 3]``, BGR; and labels ``[12]``, 1 or 0.
    """
    rng, labels = _begin(split, index)
    return draw_pedestrian(labels, rng, height), labels


def make_boxes(split: str, index: int, height: int = 128) -> dict[str, list[float]]:
    """Where pedestrian ``index`` of a split shows its attributes: name, or ``'person'`` -> ``[x1, y1, x2, y2]``."""
    rng, labels = _begin(split, index)
    return attribute_boxes(labels, rng, height)


def _begin(split: str, index: int) -> tuple[np.random.Generator, np.ndarray]:
    rng = np.random.default_rng((SPLITS.index(split), index))
    return rng, draw_labels(rng)


@DATASETS.register_module()
class SyntheticPedestrians(AttributeDataset):
    """The drawn pedestrians, written under ``data_root`` on first use, in the layout of PA-100K.

    ``<data_root>/annotation.mat`` and ``<data_root>/data/000001.jpg``..., as released sets come, and
    ``<data_root>/annotation.json``, made from the former by the reader of PA-100K, with boxes of the attributes in
    ``val`` and ``test``: where they are drawn. Of the processes of a run one writes, the others wait; other parameters,
    or an interrupted write, write anew.

    Args:
        data_root: Folder to write to and read from.
        split: ``'train'``, ``'val'``, ``'test'`` or ``'trainval'``.
        num_images: Images of ``train``, ``val`` and ``test``. All data sets of one ``data_root`` must agree.
        height: Of the images in pixels, a multiple of 32; they are half as wide.
        **kwargs: Of ``AttributeDataset`` (``pipeline``, ``test_mode``, ...).

    Raises:
        ValueError: If num_images or height is not as above.
    """

    def __init__(self, data_root: str, split: str = 'train', num_images: Mapping[str, int] = NUM_IMAGES,
                 height: int = 128, **kwargs):
        given = num_images if isinstance(num_images, Mapping) else {}
        if set(given) != set(SPLITS) or not all(isinstance(n, int) and n > 0 for n in given.values()):
            raise ValueError('SyntheticPedestrians: num_images must give a positive number for each of train, val and '
                             f'test, got {num_images!r}; by default it is {NUM_IMAGES}.')
        if height <= 0 or height % (2 * STRIDE):
            raise ValueError(f'SyntheticPedestrians: height must be a positive multiple of {2 * STRIDE}, so that width '
                             f'is one of {STRIDE}, got {height}; take {max(1, round(height / 32)) * 32}.')
        self.num_images, self.height = {name: num_images[name] for name in SPLITS}, height
        super().__init__(ann_file='annotation.json', data_root=data_root, data_prefix=dict(img='data'), split=split,
                         **kwargs)

    def load_data_list(self) -> list[dict]:
        """Draw the images if they are not there, then read the annotation."""
        parameters = dict(version=VERSION, num_images=self.num_images, height=self.height)
        write_once(self.data_root, parameters, self._write)
        return super().load_data_list()

    def _write(self, folder: Path) -> None:
        # Printed, as the bar is: the logger is silent in all processes of a distributed run but one, and any may write
        total = sum(self.num_images.values())
        print_log(f'Drawing {total} synthetic pedestrians into {self.data_root} (only this once)')
        (folder / 'data').mkdir()
        content: dict[str, np.ndarray] = dict(attributes=_cells(NAMES))
        bar, written = ProgressBar(total), 0
        for split, count in self.num_images.items():
            names, table = [], []
            for index in range(count):
                picture, labels = make_pedestrian(split, index, self.height)
                names.append(f'{written + 1:06d}.jpg')
                table.append(labels)
                write_image(folder / 'data' / names[-1], picture)
                written += 1
                if written % -(-total // BAR_UPDATES) == 0 or written == total:
                    bar.update(written - bar.completed)
            content |= {f'{split}_images_name': _cells(names), f'{split}_label': np.array(table, np.uint8)}
        bar.file.write('\n')
        savemat(folder / 'annotation.mat', content)
        annotation = read_pa100k(folder, 'synthetic_pedestrians').annotation
        annotation.extras['boxes'] = [make_boxes(split, index, self.height) if split != 'train' else None
                                      for split, count in self.num_images.items() for index in range(count)]
        save_annotation(annotation, folder / 'annotation.json')


def write_image(path: Path, picture: np.ndarray) -> None:
    """Write a JPEG file.

    Raises:
        OSError: If it cannot be written whole.
    """
    done, code = cv2.imencode('.jpg', picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    if not done:
        raise OSError(f'OpenCV {cv2.__version__} cannot encode JPEG')
    path.write_bytes(code.tobytes())  # unlike cv2.imwrite, it says when the disk is full


def _cells(texts: list[str] | tuple[str, ...]) -> np.ndarray:
    """A column of cells, as MATLAB has them."""
    cells = np.empty((len(texts), 1), object)
    cells[:, 0] = texts
    return cells
