"""Schedules of the learning rate that mmengine has not."""
import math

from mmengine.optim.scheduler import _ParamScheduler
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin

from mmspike.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    """One cosine over all epochs, whose beginning a linear warm-up replaces.

    Unlike ``LinearLR`` followed by ``CosineAnnealingLR``, the cosine does not wait for the warm-up to end: the highest
    learning rate is that of the cosine at ``warmup``, below the base. The first epoch is step 1, the last step T_max.

    Args:
        optimizer: given by the Runner.
        T_max: epochs of the cosine, the warm-up's among them; afterwards the rate stays at its minimum.
        warmup: epochs of the linear warm-up.
        warmup_ratio: of the base learning rate, where the warm-up starts from (step 0, before the first epoch).
        eta_min_ratio: of the base learning rate, where the cosine ends.
        begin, end, last_step, by_epoch, verbose: as mmengine's.

    Source: timm's ``CosineLRScheduler`` without ``warmup_prefix``, as called by the published SNN-PAR and VTB.
    Differs: nothing.
    """

    def __init__(self,
                 optimizer,
                 T_max: int,
                 warmup: int = 5,
                 warmup_ratio: float = 0.01,
                 eta_min_ratio: float = 0.002,
                 begin: int = 0,
                 end: int = 10**9,
                 last_step: int = -1,
                 by_epoch: bool = True,
                 verbose: bool = False):
        self.T_max, self.warmup = T_max, warmup
        self.warmup_ratio, self.eta_min_ratio = warmup_ratio, eta_min_ratio
        super().__init__(optimizer, begin=begin, end=end, last_step=last_step, by_epoch=by_epoch, verbose=verbose)

    @classmethod
    def build_iter_from_epoch(cls, *args, T_max: int, warmup: int = 5, begin: int = 0, end: int = 10**9,
                              by_epoch: bool = True, epoch_length: int | None = None, **kwargs) -> 'WarmupCosineLR':
        """The same per iteration, from a config per epoch (``convert_to_iter_based=True``)."""
        if not by_epoch or not epoch_length:
            raise ValueError(f'WarmupCosineLR: by_epoch={by_epoch}, epoch_length={epoch_length}; only a schedule per '
                             'epoch can be converted, and needs the length of an epoch.')
        return cls(*args, T_max=T_max * epoch_length, warmup=warmup * epoch_length, begin=begin * epoch_length,
                   end=end * epoch_length, by_epoch=False, **kwargs)

    def _get_value(self) -> list[float]:
        return [base * self._ratio(self.last_step + 1) for base in self.base_values]

    def _ratio(self, step: int) -> float:
        """Learning rate over its base."""
        if step < self.warmup:
            return self.warmup_ratio + step * (1 - self.warmup_ratio) / self.warmup
        share = min(step / self.T_max, 1)
        return self.eta_min_ratio + 0.5 * (1 - self.eta_min_ratio) * (1 + math.cos(math.pi * share))
