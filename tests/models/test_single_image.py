"""Gradients of one image: torch's batch norm reads the stride of a batch of one, which means nothing."""
import pytest
import torch
from torch import nn

from mmspike.models.layers import StepBatchNorm2d
from mmspike.models.layers.saving import normalise


@pytest.mark.parametrize('mode', [True, False], ids=['train', 'eval'])
@pytest.mark.parametrize('steps', [1, 2])
@pytest.mark.parametrize('norm_type', [nn.BatchNorm2d, StepBatchNorm2d])
def test_gradients_in_channels_last_memory(norm_type, steps, mode):
    torch.manual_seed(0)
    norm = norm_type(4).double().train(mode)
    nn.init.normal_(norm.weight)
    x = torch.randn(steps, 6, 5, 4, dtype=torch.float64).permute(0, 3, 1, 2)[:, None]  # [T, 1, 4, 6, 5]
    weight = torch.randn(x.shape, dtype=x.dtype)
    y = normalise(norm, x.requires_grad_())[0]
    grads = torch.autograd.grad((y * weight).sum(), [x, norm.weight, norm.bias])
    assert len(x) == steps and x.shape[1] == 1

    # Written out
    other = x.detach().contiguous().requires_grad_()
    scale, shift = (p.detach().clone().requires_grad_() for p in (norm.weight, norm.bias))
    axes = (1, 3, 4) if norm_type is StepBatchNorm2d else (0, 1, 3, 4)
    mean, var = (other.mean(axes, keepdim=True), other.var(axes, keepdim=True, unbiased=False)) if mode else (0, 1)
    normal = (other - mean) / (torch.as_tensor(var, dtype=x.dtype) + norm.eps).sqrt()
    expected = normal * scale[:, None, None] + shift[:, None, None]
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-10)
    for got, want in zip(grads, torch.autograd.grad((expected * weight).sum(), [other, scale, shift]), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)
