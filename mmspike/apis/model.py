"""A model from a config file and a checkpoint."""
import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope

from mmspike.registry import MODELS
from mmspike.utils import compat
from mmspike.utils.checkpoint import load_weights
from mmspike.utils.config_check import check_config


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
        ConfigError: A type or an argument in the config is unknown.
        CheckpointError: The checkpoint cannot be read, or is another model's.
    """
    compat.apply()
    cfg = load_config(config, cfg_options)
    check_config(cfg)
    with DefaultScope.overwrite_default_scope('mmspike'):
        model = MODELS.build(_from_scratch(cfg.model))
    model.dataset_meta = {}
    if checkpoint is None:
        with _quiet():
            model.init_weights()
    else:
        meta = load_weights(model, checkpoint).get('meta') or {}
        model.dataset_meta = dict(meta.get('dataset_meta') or {})
    model.cfg = cfg
    return model.to(device).eval()


def load_config(config: str | Path | Config, cfg_options: dict | None = None) -> Config:
    """A config of its own, with options put over it; names without a prefix are ours where it does not say whose."""
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config.fromfile(config)
    cfg.merge_from_dict(cfg_options or {})
    cfg.setdefault('default_scope', 'mmspike')
    return cfg


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


def _from_scratch(node):
    """The same config without initialisation from files: what a checkpoint replaces need not be fetched first."""
    if isinstance(node, list | tuple):
        return type(node)(_from_scratch(item) for item in node if not _is_pretrained(item))
    if isinstance(node, dict):
        return {key: _from_scratch(value) for key, value in node.items()
                if not (key == 'init_cfg' and _is_pretrained(value))}
    return node


def _is_pretrained(init_cfg) -> bool:
    return isinstance(init_cfg, dict) and 'checkpoint' in init_cfg
