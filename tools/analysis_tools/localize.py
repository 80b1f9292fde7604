"""Where a model sees each attribute: pictures, and overlap with the boxes of the annotation.

    python tools/analysis_tools/localize.py CONFIG CHECKPOINT --out-dir located [--attributes Hat Glasses]

Grad-CAM of one attribute at the scale that its group is read from, a box around the strongest response, its overlap
(IoU) with the annotated box, averaged over the images that have the attribute and a box of it. Beside it the overlap
of the box of the whole person ("person"; where there is none, of the whole image), which knows nothing of attributes.
Writes ``localization.json`` and a picture per attribute. Without boxes in the annotation: pictures only.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar
from torch.utils.data import Dataset

from mmspike.analysis import AttributeCam, response_box
from mmspike.apis import init_model
from mmspike.evaluation import localization_rows
from mmspike.registry import DATASETS
from mmspike.utils.config import add_cfg_options
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import Located, localization_panel, to_rgb

NOTHING = np.full(4, np.nan, np.float32)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file; its test set is looked at')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out-dir', type=Path, required=True, help='folder for the figures and the pictures')
    parser.add_argument('--attributes', nargs='+', metavar='NAME', help='these only (default: all)')
    parser.add_argument('--threshold', type=float, default=0.5,
                        help='share of the highest response that belongs to the box (default: %(default)s)')
    parser.add_argument('--pictures', type=int, default=6, help='images in the picture of an attribute (default: 6)')
    parser.add_argument('--max-images', type=int, help='look at the first so many images of the test set only')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--device', default='cpu')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def chosen(dataset: Dataset, names: list[str] | None) -> list[int]:
    """Numbers of the attributes to look at."""
    known = list(dataset.metainfo['attributes'])
    strange = [name for name in names or () if name not in known]
    if strange:
        raise ValueError(f'--attributes: {", ".join(strange)} is not among those of the test set: {", ".join(known)}')
    return [known.index(name) for name in names] if names else list(range(len(known)))


class Finder:
    """Boxes of attributes over a test set, and some images of each to draw."""

    def __init__(self, model: torch.nn.Module, attributes: list[int], args: argparse.Namespace):
        self.model, self.cam, self.attributes, self.args = model, AttributeCam(model), attributes, args
        self.found, self.true, self.person = [], [], []
        self.drawn: dict[int, list[Located]] = {a: [] for a in attributes}

    def look(self, batch: list[dict]) -> None:
        """Find the attributes that the images of a batch have."""
        data = self.model.data_preprocessor(pseudo_collate(batch), False)
        responses = self.cam(data['inputs'], self.attributes, data['data_samples']).cpu().numpy()
        for sample, maps in zip(batch, responses, strict=True):
            facts, size = sample['data_samples'], sample['inputs'].shape[:-3:-1]
            labels = facts.gt_score.numpy()
            boxes = facts.boxes.numpy() if 'boxes' in facts else np.tile(NOTHING, (len(labels) + 1, 1))
            person = boxes[-1] if np.isfinite(boxes[-1]).all() else np.array([0, 0, *size], np.float32)
            found, true = np.tile(NOTHING, (2, len(self.attributes), 1))
            for i, a in enumerate(self.attributes):
                if labels[a] != 1:
                    continue
                box = response_box(maps[i], self.args.threshold)
                found[i], true[i] = NOTHING if box is None else box, boxes[a]
                if len(self.drawn[a]) < self.args.pictures:
                    self.drawn[a].append(Located(to_rgb(sample['inputs']), maps[i], box, boxes[a],
                                                 Path(facts.get('img_path', '')).name))
            self.found.append(found)
            self.true.append(true)
            self.person.append(person)


def table(rows: list[dict]) -> str:
    """The rows as text."""
    width = max(len(row['attribute']) for row in rows)
    lines = [f'{"attribute":<{width}}  images     IoU  whole person  IoU >= 0.3  IoU >= 0.5']
    for row in rows:
        cells = [f'{"-":>{w}}' if row[key] is None else f'{row[key]:>{w}.3f}' for key, w in
                 (('iou', 6), ('baseline', 12), ('found_0.3', 10), ('found_0.5', 10))]
        lines.append('  '.join([f'{row["attribute"]:<{width}}', f'{row["images"]:>6}', *cells]))
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    with DefaultScope.overwrite_default_scope('mmspike'):
        dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    attributes = chosen(dataset, args.attributes)
    finder = Finder(model, attributes, args)
    count = min(len(dataset), args.max_images or len(dataset))
    bar = ProgressBar(count)
    for start in range(0, count, args.batch_size):
        batch = [dataset[i] for i in range(start, min(start + args.batch_size, count))]
        finder.look(batch)
        bar.update(len(batch))
    bar.file.write('\n')

    names = [dataset.metainfo['attributes'][a] for a in attributes]
    rows = localization_rows(*(np.stack(part) for part in (finder.found, finder.true, finder.person)), names)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    if rows[-1]['images']:
        print(table(rows))
        facts = dict(checkpoint=args.checkpoint, threshold=args.threshold, images=count)
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
