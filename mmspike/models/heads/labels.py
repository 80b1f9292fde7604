"""The labels of a batch, checked."""
from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor


def stack_labels(samples: Sequence[DataSample], num_attributes: int, owner: str) -> Tensor:
    """``gt_score`` of the samples, ``[B, A]``.

    Raises:
        ValueError: a sample without labels, or of another number of attributes; ``owner`` begins the message.
    """
    for sample in samples:
        if 'gt_score' not in sample:
            raise ValueError(f"{owner}: {sample.get('img_path', 'a sample')} has no gt_score. Train "
                             'on a data set with labels (AttributeDataset), packed by mmpretrain.PackInputs.')
        if len(sample.gt_score) != num_attributes:
            count = len(sample.gt_score)
            raise ValueError(f'{owner}: {count} labels per image, {num_attributes} attributes. '
                             f'Set model.head.num_attributes={count}, or use the config of the data set.')
    return torch.stack([sample.gt_score for sample in samples])
