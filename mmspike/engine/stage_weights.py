"""Weights that an earlier stage of a training has made, for one part of a model."""
from collections import OrderedDict
from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import nn

from mmspike.engine.weight_init import protect
from mmspike.registry import WEIGHT_INITIALIZERS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, load_checkpoint_file, weights_of


@WEIGHT_INITIALIZERS.register_module()
class StageWeights:
    """Loads one part of a checkpoint into the module that carries this ``init_cfg``, all of it or nothing.

    Stage 1 of a hybrid trains a ``PoseEstimator``; in stage 2 the hybrid's ``cnn`` carries
    ``init_cfg=dict(type='StageWeights', checkpoint='work_dirs/.../epoch_20.pth')``. In a list of initialisers it goes
    last. mmengine's ``Pretrained`` takes what fits and warns.

    Args:
        checkpoint: a local file, ours (published ones are converted first).
        prefix: name of the part in the model of the checkpoint: ``'backbone'`` of an estimator, ``'cnn'`` or
            ``'network'`` of a hybrid.
        skip: beginnings of names in the part that are neither taken from the file nor asked for: they keep what the
            initialisers before have given them.

    Raises:
        CheckpointError: no such file, no such part in it, or one that does not fit; says what to do.
    """

    def __init__(self, checkpoint: str, prefix: str = 'backbone', skip: Sequence[str] = ()) -> None:
        self.checkpoint, self.prefix, self.skip = checkpoint, prefix, tuple(skip)

    def __call__(self, module: nn.Module) -> None:
        weights = self._part_of_the_file(module)
        ours = {name: value for name, value in module.state_dict().items() if name.startswith(self.skip)} \
            if self.skip else {}
        difference = compare_state_dict(module, weights | ours)
        if difference:
            raise CheckpointError(
                f'{self.checkpoint}, part {self.prefix!r}, does not fit the {type(module).__name__} that carries '
                f'this init_cfg:\n  {difference}\nGive the checkpoint of a stage with the same base_channels and '
                'in_channels (the config in its work directory says them), or leave parts out: skip.')
        module.load_state_dict(weights, strict=False)
        protect(module, self.checkpoint)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, f'StageWeights: {self.prefix} of {self.checkpoint}')
        print_log(f'{type(module).__name__}: {len(weights)} tensors from {self.checkpoint}', 'current')

    def _part_of_the_file(self, module: nn.Module) -> dict[str, torch.Tensor]:
        try:
            state_dict = weights_of(load_checkpoint_file(self.checkpoint), self.checkpoint)
        except CheckpointError as error:
            raise CheckpointError(f'{error} The {type(module).__name__} of this config starts from an earlier stage: '
                                  'train that first (its config names the command), give another file (checkpoint= in '
                                  'this init_cfg), or train from scratch without this init_cfg.') from error
        start = f'{self.prefix}.'
        part = OrderedDict((name.removeprefix(start), value) for name, value in state_dict.items()
                           if name.startswith(start) and not name.removeprefix(start).startswith(self.skip or ('.',)))
        if not part:
            parts = sorted({name.split('.')[0] for name in state_dict})
            raise CheckpointError(f'{self.checkpoint}: no part {self.prefix!r} in it; its parts are '
                                  f'{", ".join(parts)}. Set prefix to one of them.')
        return part
