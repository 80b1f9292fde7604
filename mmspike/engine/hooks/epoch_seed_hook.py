"""A resumed run repeats what the unbroken one would have drawn."""
import random

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmspike.registry import HOOKS

from .inner_datasets import inner_datasets


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Makes every random draw of a training a function of (seed, epoch or iteration, rank).

    mmengine saves no random state, so a resumed run would repeat the draws of its first epoch. Here the sampler keeps
    the seed of the checkpoint, the datasets learn seed and epoch (with which they seed each sample), and the
    generators of this process, which drop-out and batch augmentations use, are seeded anew at each iteration.

    Epochs only: the augmentation of an ``IterBasedTrainLoop`` knows no epoch and repeats itself.
    """
    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        # The sampler was built before the checkpoint's seed was known. (With diff_rank_seed each rank has another
        # seed, and the sampler one of its own, common to all ranks.)
        sampler = runner.train_dataloader.sampler
        if hasattr(sampler, 'seed') and not runner._randomness_cfg.get('diff_rank_seed'):
            sampler.seed = runner.seed
        for dataset in inner_datasets(runner.train_dataloader.dataset):
            if hasattr(dataset, 'seed'):
                dataset.seed += runner.seed

    def before_train_epoch(self, runner: Runner) -> None:
        for dataset in inner_datasets(runner.train_dataloader.dataset):
            if hasattr(dataset, 'set_epoch'):
                dataset.set_epoch(runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        # Not once per epoch: a data loader that starts its workers draws from torch's generator, one that keeps them
        # does not, and a resumed run has to start them again.
        state = np.random.SeedSequence((runner.seed, runner.iter, runner.rank)).generate_state(1, np.uint64)
        seed = int(state[0])
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
