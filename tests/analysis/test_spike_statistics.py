"""Rates, dead and saturated channels equal those of a direct computation, in one process and over two."""
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from mmspike.analysis import SpikeRecorder, SpikeStatistics
from mmspike.neurons import IF, LIF, LeakyIntegrator


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.first, self.second, self.out = nn.Conv2d(2, 4, 1), LIF(tau=1.5), IF(), LeakyIntegrator()
        with torch.no_grad():
            self.conv.bias[0], self.conv.bias[1] = -100, 100  # a channel that never fires, and one that always does

    def forward(self, x):
        maps = self.first(self.conv(x.flatten(0, 1)).unflatten(0, x.shape[:2]))  # [T, B, C, H, W]
        tokens = self.second(3 * maps.flatten(3).transpose(2, 3))  # [T, B, N, C]
        self.seen = dict(first=maps.detach(), second=tokens.detach())
        return self.out(tokens)


def net():
    torch.manual_seed(0)
    return Net()


def inputs(seed, batch=3):
    return torch.randn(4, batch, 2, 5, 3, generator=torch.Generator().manual_seed(seed)) * 8


def direct(maps):
    """[T, B, C, ...] -> rates, dead, saturated."""
    channels = maps.transpose(1, 2).transpose(0, 1).flatten(1)  # [C, all]
    return (maps.flatten(1).double().mean(1), (channels.sum(1) == 0).double().mean().item(),
            (channels.min(1).values > 0).double().mean().item())


def check(results, seen):
    assert list(results) == ['first', 'second']
    for name, maps in (('first', seen['first']), ('second', seen['second'].transpose(2, 3))):
        rates, dead, saturated = direct(maps)
        torch.testing.assert_close(results[name].rates, rates, rtol=0, atol=1e-12)
        assert (results[name].dead, results[name].saturated) == (dead, saturated)
    assert results['first'].dead == results['first'].saturated == 0.25


def test_one_process():
    model, seen = net(), []
    with SpikeStatistics(model) as statistics:
        for seed in (1, 2):
            model(inputs(seed)).sum().backward()
            seen.append(model.seen)
    check(statistics.results(), {name: torch.cat([y[name] for y in seen], 1) for name in seen[0]})
    assert not torch.nn.modules.module._global_forward_hooks


def test_a_training_keeps_as_little_as_ever():
    """A hook on a module would make training keep spikes in full precision."""
    model = net()
    with SpikeStatistics(model):
        assert not any(module._forward_hooks for module in model.modules())


def test_calls_of_two_lengths_are_refused():
    model = net()
    with SpikeStatistics(model) as statistics:
        model(inputs(1))
        with pytest.raises(ValueError, match=r'first ran with T, C = \(4, 4\) and then with \(2, 4\)'):
            model(inputs(1)[:2])
    assert statistics.results()


def _work(rank: int, rendezvous: str, folder: str) -> None:
    dist.init_process_group('gloo', init_method=f'file://{rendezvous}', rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(net())
    with SpikeStatistics(model.module) as statistics:
        model(inputs(rank, batch=2 + rank)).sum().backward()  # batches of unequal size
    torch.save((statistics.results(), model.module.seen), f'{folder}/{rank}.pt')
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    mp.spawn(_work, (str(tmp_path / 'rendezvous'), str(tmp_path)), nprocs=2)
    parts = [torch.load(tmp_path / f'{rank}.pt', weights_only=False) for rank in range(2)]
    seen = {name: torch.cat([part[1][name] for part in parts], 1) for name in parts[0][1]}
    for results, _ in parts:
        check(results, seen)


def test_the_recorder_says_the_same():
    model = net()
    with SpikeRecorder(model) as recorder, SpikeStatistics(model) as statistics:
        model(inputs(3))
    for name, result in statistics.results().items():
        torch.testing.assert_close(result.rates, recorder.rates[name], rtol=0, atol=1e-12)
