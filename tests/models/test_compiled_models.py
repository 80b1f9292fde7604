"""Models under torch.compile: one graph, and the eager result.

The graph runs without code generation, so that seconds and not minutes pass, and equal means equal; with
``MMSPIKE_TEST_INDUCTOR=1`` it is compiled to machine code, which rounds in another order.
"""
import copy
import os

import pytest
import torch
from torch import nn

from mmspike.models import SpikingResNet

BACKEND, TOLERANCE = ('inductor', 1e-12) if os.environ.get('MMSPIKE_TEST_INDUCTOR') == '1' else ('aot_eager', 0)


class LastMap(nn.Module):
    """A backbone's last output."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)[-1]


@pytest.mark.parametrize(('build', 'channels'), [
    (lambda: SpikingResNet(base_channels=4).stages[0], 4),
    (lambda: LastMap(SpikingResNet(base_channels=2, stage_blocks=(1, 1, 1))), 3),
], ids=['stage', 'three blocks'])
def test_one_graph_and_the_eager_result(build, channels):
    torch.manual_seed(0)
    model = build().double()
    for parameter in model.parameters():
        torch.nn.init.uniform_(parameter, 0.2, 1.0)  # all neurons see enough to fire
    x = 2 * torch.randn(3, 2, channels, 16, 16, dtype=torch.float64)
    other = copy.deepcopy(model)
    results = [run(model, model, x), run(other, torch.compile(other, fullgraph=True, backend=BACKEND), x)]
    torch.testing.assert_close(*(out for out, _ in results), rtol=TOLERANCE, atol=TOLERANCE)
    for a, b in zip(*(grads for _, grads in results), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
        assert a.abs().sum() > 0


def run(module, call, x):
    out = call(x)
    out.square().sum().backward()
    return out.detach(), [p.grad for p in module.parameters()]
