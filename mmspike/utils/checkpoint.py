"""Reads checkpoints without running what is in them, and says what is wrong with one that does not fit."""
import re
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .safe_globals import allowed_globals

_SHOWN = 5


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used; the message says which, why and what to do."""


def load_checkpoint_file(path: str | Path, map_location: Any = 'cpu') -> dict:
    """Reads a checkpoint; nothing stored in the file is ever executed.

    Args:
        path: a local file, written by ``torch.save``.
        map_location: as in :func:`torch.load`.

    Raises:
        CheckpointError: no such file, not a checkpoint, cut off, or holding code (which is refused).
    """
    path = require_file(path)
    try:
        with torch.serialization.safe_globals(allowed_globals()):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:
        raise CheckpointError(_explain_unreadable(path, error)) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path}: holds a {type(checkpoint).__name__}, expected a dict of weights or a '
                              "checkpoint with the key 'state_dict'. Save `model.state_dict()` instead.")
    return checkpoint


def require_file(path: str | Path) -> Path:
    """The path of a checkpoint that exists.

    Raises:
        CheckpointError: no such file; says what the folder holds.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise CheckpointError(_explain_missing(path))
    return path


def weights_of(checkpoint: dict, source: str | Path = 'the checkpoint') -> OrderedDict:
    """The state dict inside a checkpoint (or the checkpoint itself, where it is one), without DDP's ``module.``."""
    state_dict = checkpoint.get('state_dict', checkpoint.get('state_dicts', checkpoint))  # the latter: OpenPAR
    if not state_dict or not all(isinstance(value, torch.Tensor) for value in state_dict.values()):
        raise CheckpointError(f'{source}: holds no weights, its keys are {_first(list(checkpoint))}. Expected a state '
                              "dict (name -> tensor), alone or under the key 'state_dict'.")
    weights = OrderedDict((name.removeprefix('module.'), value) for name, value in state_dict.items())
    weights._metadata = getattr(state_dict, '_metadata', OrderedDict())
    return weights


@dataclass(frozen=True)
class StateDictDifference:
    """How a state dict differs from a model: names, and ``(name, shape in the file, shape in the model)``."""
    matched: int
    missing: list[str]
    unexpected: list[str]
    shapes: list[tuple[str, tuple, tuple]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.shapes)

    def __str__(self) -> str:
        lines = [f'{self.matched} tensors fit']
        if self.missing:
            lines.append(f'{len(self.missing)} of the model are missing in the file: {_first(self.missing)}')
        if self.unexpected:
            lines.append(f'{len(self.unexpected)} of the file are unknown to the model: {_first(self.unexpected)}')
        if self.shapes:
            shown = [f'{name} {list(ours)} in the model, {list(theirs)} in the file'
                     for name, theirs, ours in self.shapes]
            lines.append(f'{len(self.shapes)} have another shape: {_first(shown)}')
        return '\n  '.join(lines)


def compare_state_dict(model: nn.Module, state_dict: dict) -> StateDictDifference:
    """Compares names and shapes, after the changes that the model's own loading makes to a state dict.

    BatchNorm's step counters may be missing: published files often lack them.
    """
    ours, state_dict = model.state_dict(), OrderedDict(state_dict)
    for prefix, module in model.named_modules():
        for hook in module._load_state_dict_pre_hooks.values():
            hook(state_dict, f'{prefix}.' if prefix else '', {}, True, [], [], [])
    common = [name for name in ours if name in state_dict]
    shapes = [(name, tuple(state_dict[name].shape), tuple(ours[name].shape)) for name in common
              if state_dict[name].shape != ours[name].shape]
    return StateDictDifference(
        matched=len(common) - len(shapes),
        missing=[name for name in ours if name not in state_dict and not name.endswith('num_batches_tracked')],
        unexpected=[name for name in state_dict if name not in ours],
        shapes=shapes)


def mismatch_message(difference: StateDictDifference, source: str | Path, checkpoint: dict | None = None) -> str:
    """One readable message: what does not fit, the likely cause, and what to do about it."""
    made_by = (checkpoint or {}).get('meta', {}).get('experiment_name')
    origin = f' (made by the run {made_by!r})' if made_by else ''
    return f'{source}{origin} does not fit the model of this config:\n  {difference}\n{_likely_cause(difference)}'


def load_weights(model: nn.Module, path: str | Path, map_location: Any = 'cpu') -> dict:
    """Loads a checkpoint file into a model, all of it or nothing.

    Returns:
        The checkpoint, for its ``meta``.

    Raises:
        CheckpointError: the file cannot be used, or any name or shape differs.
    """
    checkpoint = load_checkpoint_file(path, map_location)
    state_dict = weights_of(checkpoint, path)
    difference = compare_state_dict(model, state_dict)
    if difference:
        raise CheckpointError(mismatch_message(difference, path, checkpoint))
    model.load_state_dict(state_dict, strict=False)
    return checkpoint


def _likely_cause(difference: StateDictDifference) -> str:
    if not difference.matched:
        return ('No tensor fits: the file belongs to another model, or carries the names of the published code. '
                'Convert a published checkpoint first: python tools/model_converters/convert.py SYSTEM SRC DST.')
    heads = [entry for entry in difference.shapes if re.search(r'(^|\.)(head|fc)\.', entry[0])]
    if heads and len(heads) == len(difference.shapes) and not difference.missing and not difference.unexpected:
        _, theirs, ours = heads[0]
        if any(name.endswith('decoder.fc.weight') for name, *_ in heads):
            return ('Only the tokens differ: the file was made for other attributes, or with another '
                    'model.head.codec.mode. Use the config that its run wrote into its work directory, and give tests '
                    'and demos the --cfg-options of the training; or start from it with another head by training with '
                    '--cfg-options load_from=FILE.')
        return (f'Only the classifier differs: the file knows {theirs[0]} classes, the model {ours[0]}. '
                f'Set model.head.num_classes={theirs[0]} (num_attributes={theirs[0]} of a head of attributes) to use '
                'the file as it is, or start from it with another head '
                'by training with --cfg-options load_from=FILE.')
    return 'Likely the file was made with another config: use the one that its run wrote into its work directory.'


def _explain_missing(path: Path) -> str:
    if path.is_dir():
        return f'{path}: is a folder, expected a checkpoint file such as {path}/epoch_10.pth.'
    beside = sorted(file.name for file in path.parent.glob('*.pth')) if path.parent.is_dir() else []
    if beside:
        return f'{path}: no such checkpoint. The folder holds {_first(beside)}.'
    return f'{path}: no such checkpoint, and no *.pth file in that folder. Check the path; tools/train.py makes one.'


def _explain_unreadable(path: Path, error: Exception) -> str:
    forbidden = _forbidden_names(path, error)
    if forbidden:
        return (f'{path}: refused. Besides weights it holds Python objects that could run code while they are loaded: '
                f'{_first(forbidden)}. Keep the weights alone. In the environment that made the file, and only if you '
                "trust its origin: python -c \"import torch; c = torch.load('OLD.pth', map_location='cpu', "
                "weights_only=False); torch.save({'state_dict': c.get('state_dict', c)}, 'NEW.pth')\"")
    size = path.stat().st_size
    with open(path, 'rb') as file:
        start = file.read(16)
    if size == 0:
        why = 'the file is empty. Copy or download it again'
    elif start.startswith(b'PK') and not zipfile.is_zipfile(path):
        why = f'the file is cut off after {size} bytes. Copy or download it again, or use an earlier checkpoint'
    elif start.startswith(b'PK'):
        reason = str(error).strip().splitlines()[0] if str(error).strip() else ''
        why = (f'the file is a whole zip archive, but torch.load cannot read it ({type(error).__name__}: {reason}). '
               'Expected what torch.save writes; save it anew, or copy or download it again')
    else:
        why = (f'not a checkpoint of torch.save (it starts with {start!r}), or damaged. '
               'Expected a .pth file; copy or download it again')
    return f'{path}: {why}.'


def _forbidden_names(path: Path, error: Exception) -> list[str]:
    try:
        with torch.serialization.safe_globals(allowed_globals()):
            names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # the old format before torch 1.6, or no checkpoint at all: the message alone tells
        names = []
    named = re.findall(r'(?:GLOBAL|class|function) ([\w.]+(?:\([^)]*\))?) ?', str(error))
    return names or [name for name in named if '.' in name or name.startswith('getattr')]


def _first(names: list) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return ', '.join(map(str, names[:_SHOWN])) + more
