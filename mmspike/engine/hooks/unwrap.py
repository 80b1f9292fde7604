"""Looks through mmengine's wrappers of datasets and models."""
from collections.abc import Iterator

from mmengine.model import is_model_wrapper
from torch import nn
from torch.utils.data import Dataset


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside DDP and the like; a plain model gives itself."""
    return model.module if is_model_wrapper(model) else model


def inner_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The datasets inside ``RepeatDataset``, ``ConcatDataset`` and the like; a plain dataset gives itself."""
    return (part for part in all_datasets(dataset) if not _parts(part))


def all_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """A dataset and, if it is a wrapper, all that it wraps, to any depth."""
    yield dataset
    for part in _parts(dataset):
        yield from all_datasets(part)


def _parts(dataset: Dataset) -> list[Dataset]:
    if hasattr(dataset, 'datasets'):
        return list(dataset.datasets)
    inner = getattr(dataset, 'dataset', None)
    return [inner] if hasattr(inner, '__getitem__') and hasattr(inner, '__len__') else []
