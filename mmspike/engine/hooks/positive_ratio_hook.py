"""The loss is told how often each attribute is positive in the training set."""
from collections.abc import Sequence

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from torch import Tensor
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .unwrap import inner_datasets, unwrap


def mean_positive_ratio(datasets: Sequence[Dataset]) -> Tensor | None:
    """``metainfo['positive_ratio']`` of data sets, averaged with their numbers of images: float64 [A]; None where one
    has none."""
    ratios = [getattr(dataset, 'metainfo', {}).get('positive_ratio') for dataset in datasets]
    if any(ratio is None for ratio in ratios):
        return None
    sizes = torch.tensor([len(dataset) for dataset in datasets], dtype=torch.float64)
    return sizes / sizes.sum() @ torch.stack([torch.as_tensor(ratio, dtype=torch.float64) for ratio in ratios])


@HOOKS.register_module()
class PositiveRatioHook(Hook):
    """Hands ``metainfo['positive_ratio']`` of the training set to ``model.head.loss_module``.

    Several data sets in one training are averaged, each with the number of its images. A loss that needs no ratios,
    or has them from the config, is left alone.

    Raises:
        ValueError: the loss needs ratios and the training set has none.
    """
    priority = 'HIGH'  # EMAHook copies the model in before_run too, and then wants its buffers one by one

    def before_run(self, runner: Runner) -> None:
        if not isinstance(runner._train_loop, BaseLoop):
            return  # a test
        loss = getattr(getattr(unwrap(runner.model), 'head', None), 'loss_module', None)
        if not getattr(loss, 'needs_positive_ratio', False):
            return
        datasets = list(inner_datasets(runner.train_loop.dataloader.dataset))
        ratio = mean_positive_ratio(datasets)
        if ratio is None:
            kinds = ', '.join(dict.fromkeys(type(dataset).__name__ for dataset in datasets))
            raise ValueError(f"{kinds}: metainfo has no 'positive_ratio', which {type(loss).__name__} needs. Set "
                             'model.head.loss.positive_ratio=[...] in the config, or turn the weights off: '
                             'model.head.loss.weighted=False.')
        loss.set_positive_ratio(ratio)
        loss.to(next(unwrap(runner.model).parameters()).device)
        print_log(f'{type(loss).__name__}: ratios of positive labels {loss.positive_ratio.min():.4f} to '
                  f'{loss.positive_ratio.max():.4f}', 'current')
