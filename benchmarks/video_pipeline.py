"""One clip from file to normalised key and residual frames, against the published way of loading.

    python benchmarks/video_pipeline.py [VIDEO ...] [--out benchmarks/video_pipeline.json]

opencv     one sequential pass, crop and resize as bytes, bytes to the device, normalise there, split (the default)
pyav       the same with backend='pyav', which skips frames that nothing refers to
published  decord frame by frame, PIL images, crop and resize each, to float, normalise on the CPU, stack, split

All in one process pinned to one processor, one thread each, taking turns on the same frames and the same crop;
processor time, so that other programs count little; next to the machine's copy bandwidth. Without VIDEO a clip of 300
frames is rendered (340x256, as a web video of Kinetics; MPEG-4, whose decoding is cheap beside H.264). Needs decord
and av.
"""
import argparse
import importlib.util
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmspike.datasets.video_backends import load_decord
from mmspike.models import ClipDataPreprocessor
from mmspike.models.layers.key_frames import split_key_frames
from mmspike.registry import TRANSFORMS

CONTENDERS = ('published', 'opencv', 'pyav')
STAGES = ('open, sample', 'decode', 'crop, resize, flip', 'pack or stack, normalise, split')
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROP = dict(type='mmaction.MultiScaleCrop', scales=(1, 0.875, 0.75, 0.66), max_wh_scale_gap=1, random_crop=False,
            num_fixed_crops=13)


class Clock:
    """Processor time between marks, in seconds."""

    def __init__(self) -> None:
        self.times: list[float] = [time.process_time()]

    def mark(self) -> None:
        self.times.append(time.process_time())

    def stages(self) -> list[float]:
        return list(np.diff(self.times))


class Ours:
    """The pipeline of configs/_base_/datasets/kinetics400.py, and the preprocessor."""

    def __init__(self, backend: str, args: argparse.Namespace) -> None:
        size = args.size
        steps = [dict(type='VideoInit', backend=backend),
                 dict(type='SampleSegments', num_segments=args.frames, test_mode=True),
                 dict(type='VideoDecode'), dict(CROP, input_size=size),
                 dict(type='mmaction.Resize', scale=(size, size), keep_ratio=False),
                 dict(type='mmaction.Flip', flip_ratio=1), dict(type='PackClip')]
        self.steps = [TRANSFORMS.build(step) for step in steps]
        self.preprocessor, self.stride = ClipDataPreprocessor(), args.stride

    def __call__(self, path: str, clock: Clock) -> tuple[Tensor, Tensor]:
        results = dict(filename=path)
        for step in self.steps[:-1]:
            results = step(results)
            if type(step).__name__ in ('SampleSegments', 'VideoDecode', 'Flip'):
                clock.mark()
        item = self.steps[-1](results)
        clip = self.preprocessor(dict(inputs=[item['inputs']]))['inputs']  # [1, T, 3, H, W]
        key, residual = split_key_frames(clip, self.stride)
        clock.mark()
        return key, residual


class Published:
    """What the published loader does for each frame, and with all of them, written from its description."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.decord, self.args = load_decord(), args
        self.crop = TRANSFORMS.build(dict(CROP, input_size=args.size))

    def __call__(self, path: str, clock: Clock) -> tuple[Tensor, Tensor]:
        video = self.decord.VideoReader(path, num_threads=1)
        tick = len(video) / self.args.frames
        indices = [int(tick / 2 + tick * k) for k in range(self.args.frames)]
        clock.mark()
        images = [Image.fromarray(video[index].asnumpy()) for index in indices]
        clock.mark()
        box = self._box(images[0])
        size = (self.args.size, self.args.size)
        images = [image.crop(box).resize(size, Image.BILINEAR).transpose(Image.FLIP_LEFT_RIGHT) for image in images]
        clock.mark()
        clip = torch.from_numpy(np.stack([np.array(image) for image in images]))  # [T, H, W, 3]
        clip = clip.permute(0, 3, 1, 2).contiguous().float().div(255)
        clip = clip.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(STD)[:, None, None])
        clip = torch.stack([clip])  # the collate function: [1, T, 3, H, W]
        key, residual = split_key_frames(clip, self.args.stride)
        clock.mark()
        return key, residual

    def _box(self, image: Image.Image) -> tuple[int, int, int, int]:
        """The same crop as ours: the same draw on an image of the same size."""
        height, width = image.height, image.width
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
        part = self.crop(dict(imgs=[grid], img_shape=(height, width), modality='RGB'))['imgs'][0]
        return *part[0, 0].tolist(), *(part[-1, -1] + 1).tolist()


def render(path: Path) -> None:
    """300 frames of a drifting texture."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.integers(0, 256, (40, 52, 3), np.uint8), (700, 560), interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*'mp4v'), 30, (340, 256))
    for index in range(300):
        writer.write(np.ascontiguousarray(texture[index:index + 256, index:index + 340]))
    writer.release()


def measure(path: str, args: argparse.Namespace) -> dict:
    """Seconds of every stage of both contenders, taking turns, and how far apart their results are."""
    contenders: dict[str, Callable] = {name: Published(args) if name == 'published' else Ours(name, args)
                                       for name in CONTENDERS}
    source = torch.randn(2 ** 24)  # 64 MiB, beyond any cache
    target = torch.empty_like(source)
    stages: dict[str, list] = {name: [] for name in CONTENDERS}
    results: dict[str, tuple[Tensor, Tensor]] = {}
    copies = []
    for turn in range(args.rounds + 1):  # the first round warms up and is not counted
        start = time.perf_counter()
        target.copy_(source)
        copies.append(2 * source.numel() * 4 / (time.perf_counter() - start) / 1e9)
        for name in CONTENDERS if turn % 2 else reversed(CONTENDERS):
            random.seed(turn)
            clock = Clock()
            results[name] = contenders[name](path, clock)
            if turn:
                stages[name].append(clock.stages())
    apart = {name: (results['published'][0] - results[name][0]).abs().mean().item() for name in CONTENDERS[1:]}
    return dict(video=Path(path).name, stages=stages, copy_gb_per_s=statistics.median(copies), key_frames_apart=apart)


def table(results: list[dict]) -> str:
    ours = CONTENDERS[1:]
    lines = [f'| video, ms: min / median | published | {" | ".join(ours)} | '
             f'{" | ".join(f"published : {name}" for name in ours)} | copy_ |', '|---' * (3 + 2 * len(ours)) + '|']
    ratios: dict[str, list] = {name: [] for name in ours}
    for result in results:
        totals = {name: [sum(run) for run in result['stages'][name]] for name in CONTENDERS}
        figures = {name: (min(total), statistics.median(total)) for name, total in totals.items()}
        for name in ours:
            ratios[name].append([a / b for a, b in zip(figures['published'], figures[name], strict=True)])
        cells = [*('{:.1f} / {:.1f}'.format(*(1e3 * value for value in figures[name])) for name in CONTENDERS),
                 *('{:.2f} / {:.2f}'.format(*ratios[name][-1]) for name in ours)]
        lines.append(f'| {result["video"]} | {" | ".join(cells)} | {result["copy_gb_per_s"]:.1f} GB/s |')
    if len(results) > 1:
        cells = ['{:.2f} / {:.2f}'.format(*map(statistics.geometric_mean, zip(*ratios[name], strict=True)))
                 for name in ours]
        lines.append(f'| geometric mean |{" |" * len(CONTENDERS)} {" | ".join(cells)} | |')
    lines += ['', f'| stage, median ms, mean over the videos | {" | ".join(CONTENDERS)} |', '|---' * 4 + '|']
    for k, stage in enumerate(STAGES):
        cells = [statistics.mean(statistics.median(run[k] for run in result['stages'][name]) for result in results)
                 for name in CONTENDERS]
        lines.append(f'| {stage} | {" | ".join(f"{1e3 * cell:.1f}" for cell in cells)} |')
    apart = max(value for result in results for value in result['key_frames_apart'].values())
    return '\n'.join([*lines, '', f'Normalised key frames differ from the published ones by {apart:.3f} on average at '
                      'most: PIL averages where it shrinks, OpenCV interpolates.'])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('videos', nargs='*', help='video files (default: a rendered one)')
    parser.add_argument('--frames', type=int, default=16)
    parser.add_argument('--size', type=int, default=224, help='height and width in pixels')
    parser.add_argument('--stride', type=int, default=2, help='frames per key frame')
    parser.add_argument('--rounds', type=int, default=15, help='timed turns of each contender')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    args = parser.parse_args()
    missing = [name for name in ('decord', 'av') if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f'this comparison needs the packages: pip install {" ".join(missing)}')
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        if not args.videos:
            render(Path(folder) / 'rendered.mp4')
        results = [measure(path, args) for path in args.videos or [f'{folder}/rendered.mp4']]
    print(table(results))
    if args.out:
        args.out.write_text(json.dumps(dict(
            settings={key: getattr(args, key) for key in ('frames', 'size', 'stride', 'rounds')}, results=results)))


if __name__ == '__main__':
    main()
