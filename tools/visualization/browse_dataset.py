"""Contact sheets of what a pipeline really yields, with labels.

    python tools/visualization/browse_dataset.py CONFIG --output-dir sheets [--number 8] [--mode pipeline]

Samples are taken evenly from the whole data set. Modes: ``transformed`` shows what the model's preprocessor gets,
``original`` the frames as decoded, ``pipeline`` the frames after every transform that changes them.
"""
import argparse
from pathlib import Path

import numpy as np
from mmengine.config import DictAction
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar

from mmspike.apis import load_config
from mmspike.registry import DATASETS
from mmspike.utils import compat
from mmspike.utils.config_check import check_config
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import contact_sheet


class Recorder:
    """Stands in for the transforms of a pipeline and keeps the frames after each that changes them."""

    def __init__(self, transforms: list) -> None:
        self.stages: list[tuple[str, np.ndarray]] = []
        self.transforms = [lambda results, transform=transform: self._run(transform, results)
                           for transform in transforms]

    def _run(self, transform, results: dict) -> dict:
        before = results.get('imgs')
        before = None if before is None else [frame.copy() for frame in before]
        results = transform(results)
        after = (results or {}).get('imgs')
        if after is not None and (before is None or not _same(before, after)):
            self.stages.append((type(transform).__name__, np.stack(after)))
        return results


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def blocks_of(dataset, index: int, mode: str) -> tuple[list[tuple[str, np.ndarray]], dict]:
    """Headed clips of one sample, and the sample."""
    transforms = dataset.pipeline.transforms
    recorder = Recorder(transforms)
    dataset.pipeline.transforms = recorder.transforms
    try:
        sample = dataset[index]
    finally:
        dataset.pipeline.transforms = transforms
    views = sample['inputs'].numpy()  # [V, T, H, W, 3]
    final = [('model input' if len(views) == 1 else f'model input, view {v + 1}', view) for v, view in enumerate(views)]
    return {'original': recorder.stages[:1], 'transformed': final, 'pipeline': recorder.stages + final}[mode], sample


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', type=Path)
    parser.add_argument('--output-dir', type=Path, default=Path('browse'), help='default: %(default)s')
    parser.add_argument('--phase', choices=('train', 'val', 'test'), default='train', help='default: %(default)s')
    parser.add_argument('--mode', choices=('transformed', 'original', 'pipeline'), default='transformed',
                        help='default: %(default)s')
    parser.add_argument('--number', type=int, default=8, help='sheets to write (default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='settings to put over the config')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    compat.apply()
    cfg = load_config(args.config, args.cfg_options)
    check_config(cfg)
    with DefaultScope.overwrite_default_scope('mmspike'):
        dataset = DATASETS.build(cfg[f'{args.phase}_dataloader'].dataset)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    classes = dataset.metainfo.get('classes')
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(args.number, len(dataset))).astype(int)).tolist()
    progress = ProgressBar(len(indices))
    for index in indices:
        blocks, sample = blocks_of(dataset, index, args.mode)
        facts = sample['data_samples']
        label = int(facts.gt_labels.item[0])
        name = classes[label] if classes else f'class {label}'
        video = Path(facts.get('filename', ''))
        figure = contact_sheet(blocks, f'{name} (label {label}): {video.name}')
        figure.savefig(args.output_dir / f'{index:06d}_{video.stem}.png')
        progress.update()
    print(f'\n{len(indices)} of {len(dataset)} samples written to {args.output_dir}')


if __name__ == '__main__':
    run_tool(main)
