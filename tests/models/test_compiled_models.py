"""Models under torch.compile: one graph, and the eager result."""
import copy

import torch

from mmspike.models import SpikingResNet


def test_a_stage_compiles_as_one_graph():
    torch.manual_seed(0)
    stage = SpikingResNet(base_channels=4).stages[0].double()
    for parameter in stage.parameters():
        torch.nn.init.uniform_(parameter, 0.2, 1.0)  # all neurons see enough to fire
    x = 2 * torch.randn(3, 2, 4, 8, 8, dtype=torch.float64)
    other = copy.deepcopy(stage)
    results = [run(stage, stage, x), run(other, torch.compile(other, fullgraph=True, backend='aot_eager'), x)]
    assert torch.equal(*(out for out, _ in results))
    for a, b in zip(*(grads for _, grads in results), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
        assert a.abs().sum() > 0


def run(module, call, x):
    out = call(x)
    out.square().sum().backward()
    return out.detach(), [p.grad for p in module.parameters()]
