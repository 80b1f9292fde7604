"""Neurons keep the memory order of their input, so that folding time into the batch copies nothing."""
import pytest
import torch

from mmspike.neurons import LIF


@pytest.mark.parametrize('time_inside', [False, True])
def test_memory_order(time_inside):
    x = torch.randn(4, 3, 2, 5, 5)
    if time_inside:
        x = x.transpose(0, 1).contiguous().transpose(0, 1)
    assert LIF()(x).stride() == x.stride()
