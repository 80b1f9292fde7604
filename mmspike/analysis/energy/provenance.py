"""What a figure was measured on: which config, weights, data and versions."""
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mmengine.config import Config

PACKAGES = ('torch', 'mmengine', 'mmpretrain', 'mmaction2')


def provenance(config: str | Path, checkpoint: str | Path | None, split: str, random_input: str | None,
               cfg: Config) -> dict[str, str]:
    """Facts by name, for a report.

    Args:
        config: path of the config.
        checkpoint: path of the weights, or None.
        split: of the data.
        random_input: the shape of noise in place of data, or None.
        cfg: the config as it was used, options included.
    """
    from mmspike.version import __version__
    data = f'noise of {random_input}' if random_input else _data(cfg, split)
    facts = {'config': f'{config} (sha256 of what it says: {_short(cfg.pretty_text.encode())})',
             'checkpoint': 'none: random weights' if checkpoint is None else f'{checkpoint} (sha256: {_of(checkpoint)})',
             'data': data, 'mmspike': __version__}
    for name in PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts | {'python': platform.python_version()}


def _data(cfg: Config, split: str) -> str:
    dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {})
    where = next((str(dataset[key]) for key in ('data_root', 'ann_file') if dataset.get(key)), '')
    return f'{split}: {dataset.get("type", "?")} {where}'.strip()


def _of(path: str | Path) -> str:
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()[:16]


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
