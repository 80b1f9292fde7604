"""Where a model sees each attribute: pictures, and overlap with the boxes of the annotation.

    python tools/analysis_tools/localize.py CONFIG CHECKPOINT --out-dir located [--tune val] [--attributes Hat Glasses]

Grad-CAM of one attribute at the scale that its group is read from, a box around the strongest response, its overlap
(IoU) with the annotated box, averaged over the images that have the attribute and a box of it. Beside it the overlap
of the box of the whole person ("person"; where there is none, of the whole image), which knows nothing of attributes.
Writes ``localization.json`` and a picture per attribute. Without boxes in the annotation: pictures only.

How far a response reaches differs from attribute to attribute: ``--tune val`` chooses a threshold for each on the boxes
of val, for the figures on test.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar
from torch.utils.data import Dataset

from mmspike.analysis import AttributeCam, response_box
from mmspike.apis import init_model
from mmspike.evaluation import box_iou, localization_rows
from mmspike.registry import DATASETS
from mmspike.utils.config import add_cfg_options
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import Located, localization_panel, to_rgb

NOTHING = np.full(4, np.nan, np.float32)
TUNED = np.arange(1, 20) / 20  # thresholds to choose from


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file; its test set is looked at')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out-dir', type=Path, required=True, help='folder for the figures and the pictures')
    parser.add_argument('--attributes', nargs='+', metavar='NAME', help='these only (default: all)')
    parser.add_argument('--threshold', type=float, default=0.5,
                        help='share of the highest response that belongs to the box (default: %(default)s)')
    parser.add_argument('--tune', metavar='SPLIT',
                        help="choose the threshold of each attribute by the boxes of another split, such as val")
    parser.add_argument('--pictures', type=int, default=6, help='images in the picture of an attribute (default: 6)')
    parser.add_argument('--max-images', type=int, help='look at the first so many images of the test set only')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--device', default='cpu')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def chosen(dataset: Dataset, names: list[str] | None) -> list[int]:
    """Numbers of the attributes to look at."""
    known = list(dataset.metainfo.get('attributes', ()))
    if not known:
        raise ValueError('the test set has no attributes to look for; expected a config of pedestrian attributes, '
                         'such as configs/sspnet/sspnet_synthetic.py')
    strange = [name for name in names or () if name not in known]
    if strange:
        raise ValueError(f'--attributes: {", ".join(strange)} is not among those of the test set: {", ".join(known)}')
    return [known.index(name) for name in names] if names else list(range(len(known)))


class Finder:
    """Boxes of attributes over a data set, and some images of each to draw.

    Args:
        model: In evaluation mode.
        attributes: Numbers of the attributes to look at.
        thresholds: Of each of them, one or more to find boxes with. **Shape** [A, T].
        pictures: Images of each attribute to draw, with the box of the first threshold.
    """

    def __init__(self, model: torch.nn.Module, attributes: list[int], thresholds: np.ndarray, pictures: int):
        self.model, self.cam, self.attributes, self.thresholds = model, AttributeCam(model), attributes, thresholds
        self.pictures, self.drawn = pictures, {a: [] for a in attributes}
        self.found, self.true, self.person = [], [], []  # per image [T, A, 4], [A, 4], [4]

    def look(self, dataset: Dataset, count: int, batch_size: int) -> None:
        """Find the attributes that the first ``count`` images have."""
        bar = ProgressBar(count)
        for start in range(0, count, batch_size):
            batch = [dataset[i] for i in range(start, min(start + batch_size, count))]
            data = self.model.data_preprocessor(pseudo_collate(batch), False)
            responses = self.cam(data['inputs'], self.attributes, data['data_samples']).cpu().numpy()
            for sample, maps in zip(batch, responses, strict=True):
                self._look(sample, maps)
            bar.update(len(batch))
        bar.file.write('\n')

    def _look(self, sample: dict, maps: np.ndarray) -> None:
        facts, size = sample['data_samples'], sample['inputs'].shape[:-3:-1]
        labels = facts.gt_score.numpy()
        boxes = facts.boxes.numpy() if 'boxes' in facts else np.tile(NOTHING, (len(labels) + 1, 1))
        found = np.tile(NOTHING, (*self.thresholds.T.shape, 1))
        true = np.tile(NOTHING, (len(self.attributes), 1))
        for i, a in enumerate(self.attributes):
            if labels[a] != 1:
                continue
            here = [response_box(maps[i], threshold) for threshold in self.thresholds[i]]
            found[:, i], true[i] = [NOTHING if box is None else box for box in here], boxes[a]
            if len(self.drawn[a]) < self.pictures:
                self.drawn[a].append(Located(to_rgb(sample['inputs']), maps[i], here[0], boxes[a],
                                             Path(facts.get('img_path', '')).name))
        self.found.append(found)
        self.true.append(true)
        self.person.append(boxes[-1] if np.isfinite(boxes[-1]).all() else np.array([0, 0, *size], np.float32))

    def best_thresholds(self, default: float) -> np.ndarray:
        """Of each attribute the threshold with the highest mean overlap; ``default`` where no image has a box. [A]"""
        found, true = np.stack(self.found), np.stack(self.true)
        best = np.full(len(self.attributes), default)
        for i, thresholds in enumerate(self.thresholds):
            there = ~np.isnan(true[:, i]).any(1)
            if there.any():
                best[i] = thresholds[np.argmax([box_iou(found[there, t, i], true[there, i]).mean()
                                                for t in range(len(thresholds))])]
        return best


def tuned(model: torch.nn.Module, attributes: list[int], dataset: Config, args: argparse.Namespace) -> np.ndarray:
    """The threshold of each attribute, chosen on the split ``args.tune`` of the test set's data."""
    if args.tune is None:
        return np.full(len(attributes), args.threshold)
    if 'split' not in dataset or args.tune == dataset.split:
        raise ValueError(f'--tune {args.tune}: the test set has split={dataset.get("split")!r}; expected a data set '
                         'with splits, and another one of them than that of the test')
    other = build(dict(dataset, split=args.tune))
    finder = Finder(model, attributes, np.tile(TUNED, (len(attributes), 1)), pictures=0)
    finder.look(other, min(len(other), args.max_images or len(other)), args.batch_size)
    if np.isnan(finder.true).all():
        raise ValueError(f'--tune {args.tune}: no image of this split has a box of an attribute. Add "boxes" to its '
                         'images (docs/datasets.md), or set --threshold')
    return finder.best_thresholds(args.threshold)


def build(dataset: dict) -> Dataset:
    with DefaultScope.overwrite_default_scope('mmspike'):
        return DATASETS.build(dataset)


def table(rows: list[dict], thresholds: np.ndarray) -> str:
    """The rows as text."""
    width = max(len(row['attribute']) for row in rows)
    lines = [f'{"attribute":<{width}}  images  threshold     IoU  whole person  IoU >= 0.3  IoU >= 0.5']
    for row, threshold in zip(rows, [*thresholds, None], strict=True):
        cells = [f'{"-":>{w}}' if row[key] is None else f'{row[key]:>{w}.3f}' for key, w in
                 (('iou', 6), ('baseline', 12), ('found_0.3', 10), ('found_0.5', 10))]
        threshold = '' if threshold is None else f'{threshold:.2f}'
        lines.append('  '.join([f'{row["attribute"]:<{width}}', f'{row["images"]:>6}', f'{threshold:>9}', *cells]))
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    dataset = build(model.cfg.test_dataloader.dataset)
    attributes = chosen(dataset, args.attributes)
    thresholds = tuned(model, attributes, model.cfg.test_dataloader.dataset, args)
    finder = Finder(model, attributes, thresholds[:, None], args.pictures)
    count = min(len(dataset), args.max_images or len(dataset))
    finder.look(dataset, count, args.batch_size)

    names = [dataset.metainfo['attributes'][a] for a in attributes]
    found, true, person = (np.stack(part) for part in (finder.found, finder.true, finder.person))
    rows = localization_rows(found[:, 0], true, person, names)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    if rows[-1]['images']:
        print(table(rows, thresholds))
        facts = dict(checkpoint=args.checkpoint, images=count, tuned_on=args.tune,
                     thresholds=dict(zip(names, thresholds.tolist(), strict=True)))
        (args.out_dir / 'localization.json').write_text(json.dumps(dict(**facts, attributes=rows), indent=1) + '\n')
    else:
        print('No boxes in this annotation (see docs/datasets.md for "boxes"), or PackPerson is not in the test '
              'pipeline: pictures only.')
    for a, name, row in zip(attributes, names, rows, strict=False):
        if finder.drawn[a]:
            overlap = '' if row['iou'] is None else f'mean IoU {row["iou"]:.2f}, whole person {row["baseline"]:.2f}'
            figure = localization_panel(name, finder.drawn[a], overlap)
            figure.savefig(args.out_dir / f'{"".join(c if c.isalnum() else "_" for c in name)}.png')
    print(f'Pictures of {sum(map(bool, finder.drawn.values()))} attributes are in {args.out_dir}.')


if __name__ == '__main__':
    run_tool(main)
