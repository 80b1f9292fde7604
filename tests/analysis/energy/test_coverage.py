"""Of every shipped config's model, at its own size, at least 99 % of the multiply-accumulates are counted.

Models and inputs are on the ``meta`` device, where nothing is computed; a model that has to look at values (indices of
a one-hot code, the end of a sequence) runs for real. Configs that differ in labels alone share a run.
"""
import copy
import functools
import json
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine import Config
from mmengine.registry import DefaultScope
from torch.utils._pytree import tree_map

from mmspike.analysis.energy import OperationCounter
from mmspike.registry import MODELS
from mmspike.utils.pretrained import without_pretrained

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
LEAVES = sorted(file for file in CONFIGS.rglob('*.py') if '_base_' not in file.parts)
LABELS = ('num_attributes', 'num_classes', 'attributes', 'text_embeddings', 'teacher_checkpoint', 'groups')


def plain(node):
    """A model's config without files, and with what it takes from a data set told."""
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    if not isinstance(node, dict):
        return node
    kept = {key: plain(without_pretrained(value) if key == 'init_cfg' else value) for key, value in node.items()}
    kept = {key: value for key, value in kept.items() if key != 'init_cfg' and key not in LABELS[3:]}
    for key in LABELS[:2]:
        if key in kept:
            kept[key] = 20
    return kept


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
    cfg = json.loads(model_cfg)
    with DefaultScope.overwrite_default_scope('mmspike'):
        model = MODELS.build(cfg).eval()
    table = getattr(getattr(model, 'head', None), 'table', None)
    if table is not None:
        table.read_meta(dict(groups=['head'] * 7 + ['body'] * 7 + ['legs'] * 6, group_places=dict(
            head=dict(region=[0, .4], scale=1), body=dict(region=[.1, .6], scale=2), legs=dict(region=[.4, 1], scale=3))))
        table.places()
    inputs = torch.zeros(1, *shape)
    if hasattr(model, 'reads'):  # poses: frames, and bins with time first
        channels = getattr(model, 'cnn', getattr(model, 'backbone', None)).in_channels
        parts = dict(frames=torch.zeros(1, 1, channels, 64, 64), bins=torch.zeros(2, 1, 2, 64, 64))
        inputs = {name: parts[name] for name in model.reads}
    try:
        with mock.patch('torch.autocast', lambda *args, **kwargs: nullcontext()):  # which does not know the device
            return run(copy.deepcopy(model).to('meta'), tree_map(lambda x: x.to('meta'), inputs))
    except (RuntimeError, NotImplementedError):
        return run(model, tree_map(torch.randn_like, inputs))


def run(model, inputs):
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
