"""The loss is told how often each attribute is positive in the training set."""
import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner

from mmspike.registry import HOOKS

from .unwrap import inner_datasets, unwrap


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
        ratios, sizes = [], []
        for dataset in inner_datasets(runner.train_loop.dataloader.dataset):
            ratio = getattr(dataset, 'metainfo', {}).get('positive_ratio')
            if ratio is None:
                raise ValueError(f"{type(dataset).__name__}: metainfo has no 'positive_ratio', which "
                                 f'{type(loss).__name__} needs. Set model.head.loss.positive_ratio=[...] in the '
                                 'config, or turn the weights off: model.head.loss.weighted=False.')
            ratios.append(torch.as_tensor(ratio, dtype=torch.float64))
            sizes.append(len(dataset))
        shares = torch.tensor(sizes, dtype=torch.float64) / sum(sizes)
        loss.set_positive_ratio((torch.stack(ratios) * shares[:, None]).sum(0))
        loss.to(next(unwrap(runner.model).parameters()).device)
        print_log(f'{type(loss).__name__}: ratios of positive labels {loss.positive_ratio.min():.4f} to '
                  f'{loss.positive_ratio.max():.4f}', 'current')
