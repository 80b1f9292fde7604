"""Weights in the files of other projects: what ``torch.save`` writes, TorchScript archives, safetensors."""
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .checkpoint import CheckpointError, load_checkpoint_file, require_file, weights_of


def read_weights(path: str | Path) -> Mapping[str, Tensor]:
    """The state dict in a file; no Python in it is ever run.

    Args:
        path: a checkpoint of ``torch.save``; a TorchScript archive, as which OpenAI published CLIP, of which the
            tensors are taken and nothing is called; or a ``.safetensors`` file, as of open_clip.

    Raises:
        CheckpointError: no such file, or one that cannot be used; says why and what to do.
    """
    path = require_file(path)
    if path.suffix == '.safetensors':
        return _read_safetensors(path)
    if is_torchscript(path):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # TorchScript is deprecated; the files are there all the same
            try:
                return torch.jit.load(str(path), map_location='cpu').state_dict()
            except RuntimeError as error:
                raise CheckpointError(f'{path}: a TorchScript archive that cannot be read ({error}). Copy or download '
                                      'it again.') from None
    return weights_of(load_checkpoint_file(path), path)


def is_torchscript(path: Path) -> bool:
    """Whether a file is an archive of TorchScript, as which OpenAI published CLIP."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


def _read_safetensors(path: Path) -> Mapping[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise CheckpointError(f'{path}: needs safetensors to be read: pip install safetensors.') from None
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f'{path}: not a file of safetensors, or damaged ({error}). Copy or download it '
                              'again.') from None
