"""Tells an ``init_cfg`` that fetches weights from one that draws them."""
from typing import Any


def without_pretrained(init_cfg: Any) -> Any:
    """The same ``init_cfg`` without what loads weights from a file or an address; None where nothing is left.

    Args:
        init_cfg: A dict, a list of them, or None.
    """
    if isinstance(init_cfg, list | tuple):
        kept = [part for part in init_cfg if not _loads_weights(part)]
        return init_cfg if len(kept) == len(init_cfg) else kept or None
    return None if _loads_weights(init_cfg) else init_cfg


def _loads_weights(init_cfg: Any) -> bool:
    kind = init_cfg.get('type') if isinstance(init_cfg, dict) else None
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.split('.')[-1] in ('Pretrained', 'PretrainedInit', 'ImageNetWeights', 'StageWeights')
