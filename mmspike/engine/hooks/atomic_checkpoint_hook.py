"""Checkpoints that survive a kill at any moment."""
import re
from collections import deque
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmspike.engine.atomic_backend import AtomicLocalBackend
from mmspike.registry import HOOKS


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, safe against a kill while it saves, and able to finish a broken-off epoch.

    mmengine writes in place, deletes the outdated checkpoint (with ``max_keep_ckpts=1`` the only one) and the previous
    best before their successors are there, and a run that dies between an epoch's checkpoint and its validation
    never validates that epoch. Here files are moved into place when they are complete, deletions come last, and a
    missing validation is made up for on resuming, so that the best checkpoint is that of an unbroken run.

    Args:
        **kwargs: those of ``mmengine.hooks.CheckpointHook``.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        if self.backend_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend='atomic')
        self._last_step: int | None = None
        self._saves = 0

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if self._owes_validation(runner):
            runner.logger.info(f'The checkpoint of epoch {runner.epoch} was never validated; this is done first.')
            self._last_step = runner.epoch
            self.last_ckpt = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(runner.epoch))
            runner.val_loop.run()

    def _owes_validation(self, runner: Runner) -> bool:
        loop, epoch = runner.train_loop, runner.epoch
        if not isinstance(loop, EpochBasedTrainLoop) or epoch == 0 or runner.val_loop is None:
            return False
        loop._decide_current_val_interval()
        due = epoch >= loop.val_begin and (epoch % loop.val_interval == 0 or epoch == loop.max_epochs)
        return due and runner.message_hub.get_info('epoch_validated', 0) < epoch

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        runner.message_hub.update_info('epoch_validated', runner.epoch)
        saved = self._saves
        super().after_val_epoch(runner, metrics)
        if self.by_epoch and self._saves == saved and self._last_step == runner.epoch:
            # mmengine saves anew where the best has changed; here always, as the checkpoint records the validation
            self._save_checkpoint_with_step(runner, runner.epoch, dict(epoch=runner.epoch, iter=runner.iter))

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        outdated = self._keep(runner, step) if self.max_keep_ckpts > 0 else []
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir, filename, save_optimizer=self.save_optimizer, meta=meta, by_epoch=self.by_epoch,
            save_param_scheduler=self.save_param_scheduler, backend_args=self.backend_args, **self.args)
        self._last_step = step
        self._saves += 1
        if is_main_process():
            AtomicLocalBackend().put_text(self.last_ckpt, Path(runner.work_dir, 'last_checkpoint'))
            for old in outdated:
                self._remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old)))

    def _keep(self, runner: Runner, step: int) -> list[int]:
        """Notes a checkpoint as kept; returns those that are one too many."""
        kept = [*self.keep_ckpt_ids] if step in self.keep_ckpt_ids else [*self.keep_ckpt_ids, step]
        outdated, kept = kept[:-self.max_keep_ckpts], kept[-self.max_keep_ckpts:]
        self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        runner.message_hub.update_info('keep_ckpt_ids', kept)
        return outdated

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        if not self.save_best:
            return
        # mmengine deletes the previous best that it knows of before it writes the new one
        single = len(self.key_indicators) == 1
        previous = {'': self.best_ckpt_path} if single else dict(self.best_ckpt_path_dict)
        if single:
            self.best_ckpt_path = None
        else:
            self.best_ckpt_path_dict = dict.fromkeys(previous)
        super()._save_best_checkpoint(runner, metrics)
        current = {'': self.best_ckpt_path} if single else self.best_ckpt_path_dict
        for key, path in previous.items():
            if current[key] is None:
                current[key] = path
            elif path and path != current[key] and is_main_process():
                self._remove(path)
        if single:
            self.best_ckpt_path = current['']

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)


def last_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint to resume from: the one that ``last_checkpoint`` names, even if the folder was moved since.

    Where it names none that exists, the one of the highest epoch or iteration; None without any.
    """
    pointer = Path(work_dir, 'last_checkpoint')
    if pointer.is_file():
        named = Path(pointer.read_text().strip())
        for path in (named, pointer.with_name(named.name)):
            if path.is_file():
                return path
    found = [path for path in Path(work_dir).glob('*.pth') if re.fullmatch(r'(epoch|iter)_\d+', path.stem)]
    return max(found, key=lambda path: int(path.stem.split('_')[1]), default=None)
