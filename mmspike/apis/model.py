"""A model from a config file and a checkpoint."""
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope

from mmspike.registry import MODELS
from mmspike.utils.checkpoint import load_weights
from mmspike.utils.config import load_config
from mmspike.utils.config_check import check_config
from mmspike.utils.pretrained import without_pretrained


def checkpoint_for(config: str | Path, asked: str | None) -> str | None:
    """The checkpoint that a user asked for, or the last one of the config's training in ``work_dirs``.

    Args:
        config: Path of a config.
        asked: A file; ``'none'`` for a model as it is before training; None if nothing was said.

    Raises:
        FileNotFoundError: Nothing was said, and there was no training.
    """
    if asked:
        return None if asked.lower() == 'none' else asked
    last = Path('work_dirs', Path(config).stem, 'last_checkpoint')
    if not last.is_file():
        raise FileNotFoundError(f'{last} is missing: give a CHECKPOINT, or train one with python tools/train.py '
                                f'{config}')
    return last.read_text().strip()


def init_model(config: str | Path | Config, checkpoint: str | Path | None = None, device: str | torch.device = 'cpu',
               cfg_options: dict | None = None) -> BaseModel:
    """Build a model in evaluation mode; nothing is ever fetched.

    Args:
        config: Path of a config, or a loaded one (left as it is).
        checkpoint: File with all the model's weights; ``None`` leaves them as at the start of a training from scratch.
        device: Where the model goes.
        cfg_options: Dotted path -> value, put over the config.

    Returns:
        The model. ``model.cfg`` is the config, ``model.dataset_meta`` what the checkpoint says of the data it was
        trained on (``classes``, where known; else empty).

    Raises:
        ConfigError: The config cannot be read, or a type or an argument in it is unknown.
        CheckpointError: The checkpoint cannot be read, or is another model's.
    """
    cfg = load_config(config, cfg_options)
    check_config(cfg)
    with DefaultScope.overwrite_default_scope('mmspike'):
        model = MODELS.build(_from_scratch(cfg.model)).eval()  # before its initialisation: no training begins
    model.dataset_meta = {}
    if checkpoint is None:
        with _quiet():
            model.init_weights()
    else:
        meta = load_weights(model, checkpoint).get('meta') or {}
        model.dataset_meta = dict(meta.get('dataset_meta') or {})
    model.cfg = cfg
    return model.to(device)


@contextmanager
def _quiet() -> Iterator[None]:
    """mmengine logs the initialisation of every parameter, which is for the log of a training."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _from_scratch(node: Any) -> Any:
    """The same config without initialisation from files: what a checkpoint replaces need not be fetched first."""
    if isinstance(node, list | tuple):
        return type(node)(map(_from_scratch, node))
    if isinstance(node, dict):
        kept = {key: without_pretrained(value) if key == 'init_cfg' else _from_scratch(value)
                for key, value in node.items()}
        # An init_cfg of None would switch off the model's own initialisation, too
        return {key: value for key, value in kept.items() if value is not None or node[key] is None}
    return node
