"""Of every shipped config's model, at its own size, at least 99 % of the multiply-accumulates are counted.

Models and inputs are on the ``meta`` device, where nothing is computed; a model that has to look at values (indices of
a one-hot code, the end of a sequence) runs for real. Configs that differ in labels alone share a run.
"""
import functools
import json
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine import Config
from mmengine.registry import DefaultScope

from mmspike.analysis.energy import OperationCounter
from mmspike.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
LEAVES = sorted(file for file in CONFIGS.rglob('*.py') if '_base_' not in file.parts)
LABELS = ('num_attributes', 'num_classes')
TOWERS = {  # CLIP, of two blocks, as the decoder: SequencePAR has to see when a sequence ends
    'ViT-B/16': dict(CLIPVision=dict(width=768, layers=2, heads=12, output_dims=512, patch_size=16),
                     CLIPPhrases=dict(width=512, layers=2, heads=8, output_dims=512)),
    'ViT-L/14': dict(CLIPVision=dict(width=1024, layers=2, heads=16, output_dims=768, patch_size=14),
                     CLIPPhrases=dict(width=768, layers=2, heads=12, output_dims=768))}
FROM_DATA = ('attributes', 'text_embeddings', 'teacher_checkpoint', 'groups', 'init_cfg')


def plain(node):
    """A model's config without files, and with what it takes from a data set told."""
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    if not isinstance(node, dict):
        return node
    kept = {key: plain(value) for key, value in node.items() if key not in FROM_DATA}
    if kept.get('type') == 'FilePhrases':
        return dict(type='LearnedPhrases', channels=768)
    if kept.get('type') == 'CLIPPhrases':
        kept['phrases'] = [f'number {i}' for i in range(20)]
    if kept.get('type') in ('CLIPPhrases', 'CLIPVision') and isinstance(kept.get('arch'), str):
        kept['arch'] = TOWERS[kept['arch']][kept['type']]
    if 'depth' in kept.get('decoder', {}):
        kept['decoder']['depth'] = 2
    return kept | {key: 20 for key in LABELS if key in kept}


def size_of(pipeline):
    """Height and width that a test pipeline ends with, and frames."""
    size, frames = (64, 64), None
    for step in pipeline:
        scale = step.get('scale') or step.get('crop_size') or size
        if scale != size:
            sides = (scale, scale) if isinstance(scale, int) else tuple(scale)
            size = sides[::-1] if 'scale' in step else sides
        frames = step.get('num_segments') or step.get('clip_len') or frames
    return size, frames


@functools.cache
def account_of(model_cfg, shape):
    """Of one sample; cached, as many configs have the same model."""
    try:
        with mock.patch('torch.autocast', lambda *args, **kwargs: nullcontext()):  # which does not know the device
            return run(build(json.loads(model_cfg)).to('meta'), shape, torch.empty(0, device='meta'))
    except (RuntimeError, NotImplementedError):
        return run(build(json.loads(model_cfg)), shape, torch.empty(0))


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmspike'):
        model = MODELS.build(cfg).eval()
    table = getattr(getattr(model, 'head', None), 'table', None)
    if table is not None:
        table.read_meta(dict(groups=['head'] * 7 + ['body'] * 7 + ['legs'] * 6, group_places=dict(
            head=dict(region=[0, .4], scale=1), body=dict(region=[.1, .6], scale=2), legs=dict(region=[.4, 1], scale=3))))
        table.places()
    return model


def run(model, shape, like):
    inputs = like.new_ones(1, *shape)
    if hasattr(model, 'reads'):  # poses: frames, and bins with time first
        channels = getattr(model, 'cnn', getattr(model, 'backbone', None)).in_channels
        parts = dict(frames=like.new_ones(1, 1, channels, 64, 64), bins=like.new_ones(2, 1, 2, 64, 64))
        inputs = {name: parts[name] for name in model.reads}
    with OperationCounter(model) as counter:
        model(inputs, mode='tensor')
    return counter.take(1)


@pytest.mark.parametrize('file', LEAVES, ids=lambda file: str(file.relative_to(CONFIGS)))
def test_at_least_99_per_cent_are_counted(file):
    cfg = Config.fromfile(file)
    (height, width), frames = size_of(cfg.test_dataloader.dataset.pipeline)
    shape = (3, height, width) if frames is None else (frames, 3, height, width)
    model_cfg = cfg.model.student if cfg.model.type == 'Distiller' else cfg.model
    account = account_of(json.dumps(plain(model_cfg.to_dict())), shape)
    assert account.coverage >= 0.99 and not account.unknown, account.uncounted
    assert account.sum('dense') > 1e6
