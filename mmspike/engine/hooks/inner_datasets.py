"""Looks through mmengine's dataset wrappers."""
from collections.abc import Iterator

from torch.utils.data import Dataset


def inner_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The datasets inside ``RepeatDataset``, ``ConcatDataset`` and the like; a plain dataset gives itself."""
    if hasattr(dataset, 'datasets'):
        for inner in dataset.datasets:
            yield from inner_datasets(inner)
    elif isinstance(getattr(dataset, 'dataset', None), Dataset):
        yield from inner_datasets(dataset.dataset)
    else:
        yield dataset
