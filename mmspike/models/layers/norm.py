"""Batch normalisation with statistics of their own at every time step."""
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _NormBase

from mmspike.models.layers.time import per_step, usual_strides
from mmspike.registry import MODELS


@MODELS.register_module()
class StepBatchNorm2d(_NormBase):
    """Batch norm whose batch statistics are taken per time step, over batch and space.

    What a ``BatchNorm2d`` called once per step inside a time loop computes, in one call: time moves into the channel
    axis, and the T updates of the running statistics, which all steps share, have the closed form
    ``running <- (1-m)^T running + sum_t m (1-m)^(T-1-t) stat_t``. In eval mode all steps use the running statistics.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: m, weight of a new statistic.
        sync: take the batch statistics over all processes of the default group. mmengine's ``sync_bn`` does not
            convert this layer.

    Shape:
        ``[T, B, C, H, W]`` -> the same.

    Source: ReSpike (arXiv 2409.01564), published code.
    Differs: nothing.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, sync: bool = False):
        super().__init__(num_features, eps, momentum)
        self.sync = sync

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, sync={self.sync}'

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 5 or x.shape[2] != self.num_features:
            raise ValueError(f'StepBatchNorm2d: expected [T, B, {self.num_features}, H, W], got {list(x.shape)}.')
        if not self.training:
            return per_step(self._normalise_by_running, x)
        y, mean, var = self._normalise_by_batch(x)
        self._update_running(mean, var)
        return y

    def again(self, x: Tensor) -> Tensor:
        """What the forward of x in training mode gave, bit by bit; the running statistics do not move again."""
        return self._normalise_by_batch(x)[0]

    def _normalise_by_batch(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised x, mean and unbiased variance ``[T, C]``."""
        steps = x.shape[0]
        y = usual_strides(x.transpose(0, 1).flatten(1, 2))  # [B, T*C, H, W]
        normalise = self._normalise_over_processes if self.sync and _world_size() > 1 else self._normalise
        y, mean, var = normalise(y, self.weight.repeat(steps), self.bias.repeat(steps))
        return y.unflatten(1, (steps, -1)).transpose(0, 1), mean.view(steps, -1), var.view(steps, -1)

    def _normalise_by_running(self, x: Tensor) -> Tensor:
        x = usual_strides(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)

    def _normalise(self, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised x, mean and unbiased variance per channel; x ``[B, C', H, W]``."""
        mean, var = torch.zeros_like(weight), torch.ones_like(weight)
        # momentum 1 makes the kernel leave this batch's own statistics in the two buffers
        y = F.batch_norm(x, mean, var, weight, bias, True, 1.0, self.eps)
        return y, mean.detach(), var.detach()

    def _normalise_over_processes(self, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dtype, x = x.dtype, x.to(weight.dtype)  # sums in half precision overflow
        count = all_reduce(x.new_tensor(float(x[:, 0].numel())))
        mean = all_reduce(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        var = all_reduce(centred.square().sum((0, 2, 3))) / count
        y = centred * (weight * (var + self.eps).rsqrt())[:, None, None] + bias[:, None, None]
        return y.to(dtype), mean.detach(), (var * count / (count - 1)).detach()

    @torch.no_grad()
    def _update_running(self, mean: Tensor, var: Tensor) -> None:
        """The T updates at once; mean and var ``[T, C]``."""
        steps, keep = len(mean), 1 - self.momentum
        weight = self.momentum * keep**torch.arange(steps - 1, -1, -1, dtype=mean.dtype, device=mean.device)
        self.running_mean.mul_(keep**steps).add_(weight @ mean)
        self.running_var.mul_(keep**steps).add_(weight @ var)
        self.num_batches_tracked.add_(steps)


def _world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
