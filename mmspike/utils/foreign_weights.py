"""Weights in the files of other projects: what ``torch.save`` writes, TorchScript archives, safetensors, Keras."""
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
            tensors are taken and nothing is called; a ``.safetensors`` file, as of open_clip; or a ``.h5`` that Keras
            has saved.

    Raises:
        CheckpointError: no such file, or one that cannot be used; says why and what to do.
    """
    path = require_file(path)
    if path.suffix == '.safetensors':
        return _read_safetensors(path)
    if path.suffix.lower() in ('.h5', '.hdf5'):
        return _read_keras(path)
    if _is_torchscript(path):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # TorchScript is deprecated; the files are there all the same
            try:
                return torch.jit.load(str(path), map_location='cpu').state_dict()
            except RuntimeError as error:
                raise CheckpointError(f'{path}: a TorchScript archive that cannot be read ({error}). Copy or download '
                                      'it again.') from None
    return weights_of(load_checkpoint_file(path), path)


def _is_torchscript(path: Path) -> bool:
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


def _read_keras(path: Path) -> Mapping[str, Tensor]:
    import h5py  # only a Keras file needs it
    try:
        with h5py.File(path) as file:
            group, arrays = file.get('model_weights', file), {}
            group.visititems(lambda name, value: arrays.update({name: torch.from_numpy(value[()])})
                             if isinstance(value, h5py.Dataset) and name.endswith(':0') else None)
    except OSError as error:
        raise CheckpointError(f'{path}: cannot be read as HDF5 ({error}). Expected what Keras saves as .h5.') from None
    if not arrays:
        raise CheckpointError(f'{path}: no weights in it. Expected a model that Keras has saved, with a group '
                              '`model_weights`.')
    return arrays
