"""Contact sheets of what a pipeline really yields, with labels.

    python tools/visualization/browse_dataset.py CONFIG --output-dir sheets [--number 8] [--mode pipeline]

Samples are taken evenly from the whole data set. Modes: ``transformed`` shows what the model's preprocessor gets,
``original`` the frames or the image as read, ``pipeline`` these after every transform that changes them. Of windows of
events with poses, the model's input is shown in every mode.
"""
import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar

from mmspike.registry import DATASETS
from mmspike.structures import PoseDataSample, attribute_names
from mmspike.utils.config import add_cfg_options, load_config
from mmspike.utils.config_check import check_config
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import Picture, attribute_panel, contact_sheet, pose_sheet, to_rgb


class Recorder:
    """Stands in for the transforms of a pipeline and keeps the pictures after each that changes them."""

    def __init__(self, transforms: list) -> None:
        self.stages: list[tuple[str, np.ndarray]] = []
        self.transforms = [lambda results, transform=transform: self._run(transform, results)
                           for transform in transforms]

    def _run(self, transform, results: dict) -> dict:
        before = _pictures(results)
        results = transform(results)
        after = _pictures(results or {})
        if after is not None and (before is None or not _same(before, after)):
            self.stages.append((type(transform).__name__, np.stack(after)))
        return results


def _pictures(results: dict) -> list[np.ndarray] | None:
    """Copies of a clip's frames or of an image, RGB."""
    if results.get('imgs') is not None:
        return [frame.copy() for frame in results['imgs']]
    return None if results.get('img') is None else [results['img'][..., ::-1].copy()]


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def blocks_of(dataset, index: int, mode: str) -> tuple[list[tuple[str, np.ndarray]], dict]:
    """Headed clips (an image is one frame) of one sample, and the sample."""
    transforms = dataset.pipeline.transforms
    recorder = Recorder(transforms)
    dataset.pipeline.transforms = recorder.transforms
    try:
        sample = dataset[index]
    finally:
        dataset.pipeline.transforms = transforms
    inputs = sample['inputs']  # bins and frames by name, views of a clip [V, T, H, W, 3], or an image [3, H, W]
    if isinstance(inputs, dict):
        return list(inputs.items()), sample
    views = to_rgb(inputs)[None, None] if inputs.ndim == 3 else inputs.numpy()
    final = [('model input' if len(views) == 1 else f'model input, view {v + 1}', view) for v, view in enumerate(views)]
    return {'original': recorder.stages[:1], 'transformed': final, 'pipeline': recorder.stages + final}[mode], sample


def draw(blocks: list[tuple[str, np.ndarray]], facts, metainfo: dict) -> tuple[Figure, Path]:
    """The sheet of one sample with its label or attributes, and the sample's file."""
    if isinstance(facts, PoseDataSample):
        file = Path(f'{facts.get("sequence", "sample")}_camera{facts.get("camera", 0)}')
        title = f'{file}, from {facts.get("start_us", 0) / 1000:g} ms'
        return pose_sheet(dict(blocks), facts, metainfo.get('skeleton', 'dhp19'), title), file
    if 'gt_score' in facts:
        file = Path(facts.get('img_path', ''))
        pictures = [Picture(frames[0], f'{name} {frames.shape[2]}x{frames.shape[1]}') for name, frames in blocks]
        names, groups = attribute_names(metainfo, len(facts.gt_score))
        return attribute_panel(pictures, names, groups, truth=facts.gt_score.numpy(), title=file.name), file
    label, file = int(facts.gt_labels.item[0]), Path(facts.get('filename', ''))
    classes = metainfo.get('classes')
    name = classes[label] if classes else f'class {label}'
    return contact_sheet(blocks, f'{name} (label {label}): {file.name}'), file


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', type=Path)
    parser.add_argument('--output-dir', type=Path, default=Path('browse'), help='default: %(default)s')
    parser.add_argument('--phase', choices=('train', 'val', 'test'), default='train', help='default: %(default)s')
    parser.add_argument('--mode', choices=('transformed', 'original', 'pipeline'), default='transformed',
                        help='default: %(default)s')
    parser.add_argument('--number', type=int, default=8, help='sheets to write (default: %(default)s)')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    check_config(cfg)
    with DefaultScope.overwrite_default_scope('mmspike'):
        dataset = DATASETS.build(cfg[f'{args.phase}_dataloader'].dataset)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(args.number, len(dataset))).astype(int)).tolist()
    progress = ProgressBar(len(indices))
    for index in indices:
        blocks, sample = blocks_of(dataset, index, args.mode)
        figure, file = draw(blocks, sample['data_samples'], dataset.metainfo)
        figure.savefig(args.output_dir / f'{index:06d}_{file.stem}.png')
        progress.update()
    print(f'\n{len(indices)} of {len(dataset)} samples written to {args.output_dir}')


if __name__ == '__main__':
    run_tool(main)
