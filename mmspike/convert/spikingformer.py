"""Spikingformer checkpoints."""
import re
from collections.abc import Mapping

import torch
from torch import Tensor

# In order; the first pattern that matches a name renames it.
RENAMES = [(re.compile(pattern), new) for pattern, new in (
    (r'^patch_embed\.proj_conv\.', r'backbone.tokenizer.convs.0.'),
    (r'^patch_embed\.proj_bn\.', r'backbone.tokenizer.norms.0.'),
    (r'^patch_embed\.proj([1-4])_conv\.', r'backbone.tokenizer.convs.\1.'),
    (r'^patch_embed\.proj([1-4])_bn\.', r'backbone.tokenizer.norms.\1.'),
    (r'^block\.(\d+)\.attn\.([qkv])_conv\.', r'backbone.blocks.\1.attn.\2.'),
    (r'^block\.(\d+)\.attn\.([qkv])_bn\.', r'backbone.blocks.\1.attn.\2_norm.'),
    (r'^block\.(\d+)\.attn\.proj_conv\.', r'backbone.blocks.\1.attn.proj.'),
    (r'^block\.(\d+)\.attn\.proj_bn\.', r'backbone.blocks.\1.attn.proj_norm.'),
    (r'^block\.(\d+)\.mlp\.mlp([12])_conv\.', r'backbone.blocks.\1.mlp.fc\2.'),
    (r'^block\.(\d+)\.mlp\.mlp([12])_bn\.', r'backbone.blocks.\1.mlp.norm\2.'),
    (r'^head\.', r'head.fc.'),
)]
UNUSED = re.compile(r'^block\.\d+\.norm[12]\.')
PARTS = ('backbone.tokenizer.', 'backbone.blocks.', 'head.fc.')


def spikingformer(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published Spikingformer state dict under our names.

    q, k and v become one layer, 1x1 convolutions linear layers, and the layer norms that published code never calls
    are dropped.

    Args:
        state_dict: as the published code saves it; a ``module.`` prefix of DataParallel is dropped.

    Returns:
        A state dict for a model of backbone (``Spikingformer`` of the same architecture) and head (a linear layer
        ``fc``): mmpretrain's ``ImageClassifier`` with ``LinearClsHead``, our ``AttributeRecognizer`` with
        ``AttributeHead``.

    Raises:
        ValueError: where a name is not Spikingformer's, or the dict lacks one of its parts.
    """
    names = {name.removeprefix('module.'): value for name, value in state_dict.items()}
    renamed = {_rename(name): value for name, value in names.items() if not UNUSED.match(name)}
    for part in PARTS:
        if not any(name.startswith(part) for name in renamed):
            raise ValueError(f'convert.spikingformer: no weight of {part}* among {len(renamed)} names. Give the state '
                             'dict of a whole published Spikingformer.')
    converted = {}
    for name, value in renamed.items():
        if match := re.fullmatch(r'(.*\.attn\.)([qkv])((?:_norm)?\..*)', name):
            before, letter, after = match.groups()
            if letter == 'q':
                converted[f'{before}qkv{after}'] = _join([renamed[f'{before}{other}{after}'] for other in 'qkv'])
        else:
            converted[name] = value
    return {name: value.flatten(1) if value.ndim > 2 and '.blocks.' in name else value
            for name, value in converted.items()}


def _rename(name: str) -> str:
    for pattern, new in RENAMES:
        if pattern.match(name):
            return pattern.sub(new, name)
    raise ValueError(f'convert.spikingformer: {name!r} is no name of a Spikingformer checkpoint (patch_embed.*, '
                     'block.*, head.*). Is it a checkpoint of another model, or already converted?')


def _join(parts: list[Tensor]) -> Tensor:
    """q, k and v along the first axis; a counter of batches, the same in all, stays one."""
    return torch.cat(parts) if parts[0].ndim else parts[0]
