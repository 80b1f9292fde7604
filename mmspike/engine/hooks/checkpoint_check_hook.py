"""A checkpoint of another model is an error, not a warning in a log."""
import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner

from mmspike.registry import HOOKS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, mismatch_message, weights_of


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Compares a checkpoint with the model before it is loaded.

    mmengine loads what fits and warns about the rest: a test with the checkpoint of another model reports the accuracy
    of a half random network. Here any difference is an error in a test and on resuming. A training that starts from
    a checkpoint (``load_from``) may differ, in its head for instance; that no tensor fits is an error there too.

    Raises:
        CheckpointError: what differs, the likely cause and what to do.
    """

    def before_run(self, runner: Runner) -> None:
        if runner._resume and runner._load_from:
            # All weights will come from the checkpoint: fetch no pretrained ones before
            for module in runner.model.modules():
                if _is_pretrained(getattr(module, 'init_cfg', None)):
                    module.init_cfg = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        source = runner._load_from or runner.work_dir
        difference = compare_state_dict(model, weights_of(checkpoint, source))
        if not difference:
            return
        # Runner.train builds its loop before it loads, Runner.test leaves it a config
        finetunes = isinstance(runner._train_loop, BaseLoop) and not runner._resume
        if not finetunes or not difference.matched:
            raise CheckpointError(mismatch_message(difference, source, checkpoint))
        print_log(f'Starting from {source}: what does not fit keeps its initial values.\n  {difference}', 'current',
                  logging.WARNING)


def _is_pretrained(init_cfg: dict | list | None) -> bool:
    return isinstance(init_cfg, dict) and str(init_cfg.get('type')).split('.')[-1] in ('Pretrained', 'ImageNetWeights')
