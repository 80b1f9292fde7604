"""A checkpoint of another model is an error, not a warning in a log."""
import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner

from mmspike.registry import HOOKS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, mismatch_message, weights_of
from mmspike.utils.pretrained import without_pretrained

from .unwrap import unwrap


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Compares a checkpoint with the model before it is loaded.

    mmengine loads what fits and warns about the rest: a test with the checkpoint of another model reports the accuracy
    of a half random network. Here any difference is an error in a test and on resuming. A training that starts from
    a checkpoint (``load_from``) may differ, in its head for instance; that no tensor fits is an error there too.

    Raises:
        CheckpointError: what differs, the likely cause and what to do; or that there is nothing to resume.
    """

    def before_run(self, runner: Runner) -> None:
        if runner._resume and runner._load_from:
            # All weights will come from the checkpoint: fetch no pretrained ones before
            for module in runner.model.modules():
                if getattr(module, 'init_cfg', None):
                    module.init_cfg = without_pretrained(module.init_cfg)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        source = runner._load_from or runner.work_dir
        difference = compare_state_dict(unwrap(runner.model), weights_of(checkpoint, source))
        if not difference:
            progress = {'epoch', 'iter'} <= set(checkpoint.get('meta') or {}) and 'message_hub' in checkpoint
            if runner._resume and not progress:
                raise CheckpointError(f'{source}: weights only, without the state of a training to go on with. Start '
                                      f'from them: without --resume, with --cfg-options load_from={source}.')
            return
        # Runner.train builds its loop before it loads, Runner.test leaves it a config
        finetunes = isinstance(runner._train_loop, BaseLoop) and not runner._resume
        if not finetunes or not difference.matched:
            raise CheckpointError(mismatch_message(difference, source, checkpoint))
        print_log(f'Starting from {source}: what does not fit keeps its initial values.\n  {difference}', 'current',
                  logging.WARNING)
