"""What mmengine 0.10.7 needs to run on today's torch and setuptools. Call :func:`apply` before anything is built.

Nothing here changes what a run computes; each part has a test that fails without it.
"""
import importlib.util
import os
import sys
import warnings
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any
from unittest import mock

import mmengine.runner.checkpoint as runner_checkpoint
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import init_dist, is_distributed

from .checkpoint import load_checkpoint_file

_STAND_IN = Path(__file__).with_name('pkg_resources_stand_in.py')


def apply() -> None:
    """Makes mmengine read checkpoints safely, and find packages without ``pkg_resources``. Calling it again is free."""
    runner_checkpoint.CheckpointLoader.register_scheme('', loader=load_from_local, force=True)
    # The one name through which mmengine reads files from http, torchvision and open-mmlab addresses. torch's own
    # function there asks for weights_only=False.
    runner_checkpoint.load_url = load_url
    if not any(isinstance(finder, _PkgResourcesFinder) for finder in sys.meta_path):
        sys.meta_path.append(_PkgResourcesFinder())
    # mmcv-lite says so on every start; nothing here uses the operation
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')


def load_from_local(filename: str, map_location: Any = None) -> dict:
    """The loader of mmengine for local files, safe: see :func:`mmspike.utils.checkpoint.load_checkpoint_file`."""
    return load_checkpoint_file(filename, map_location)


def load_url(url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True) -> dict:
    """Fetches a checkpoint into torch's cache unless it is there, and reads it safely."""
    return load_checkpoint_file(fetch(url, model_dir, progress), map_location)


def fetch(url: str, folder: str | None = None, progress: bool = True) -> str:
    """Downloads ``url`` into ``folder`` (default: torch's cache) unless the file is there.

    Returns:
        The path of the file.

    Raises:
        OSError: the address cannot be reached.
    """
    folder = folder or os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(url.split('?')[0]))
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(url, path, progress=progress)
    return path


def init_cpu_distributed(cfg: Config) -> None:
    """Opens the process group of ``cfg.launcher`` on gloo where there is no accelerator; elsewhere does nothing.

    mmengine's ``init_dist`` selects a CUDA device whatever the backend, and its Runner hands ``device_ids`` to DDP;
    both fail on a CPU. To be called before the Runner is built, which then finds the group open.
    """
    if cfg.get('launcher', 'none') == 'none' or get_device() != 'cpu':
        return
    if not is_distributed():
        with mock.patch.object(torch.cuda, 'set_device', lambda device: None):
            init_dist(cfg.launcher, backend='gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))


class _PkgResourcesFinder(MetaPathFinder):
    """Serves ``pkg_resources`` where no other finder does: setuptools 82 dropped it, mmengine still imports it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        return importlib.util.spec_from_file_location(fullname, _STAND_IN) if fullname == 'pkg_resources' else None
