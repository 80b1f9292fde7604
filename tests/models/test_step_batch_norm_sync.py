"""Per-step batch norm over two processes equals one process with the whole batch."""
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmspike.models.layers import StepBatchNorm2d


def _work(rank: int, port_file: str, path: str) -> None:
    dist.init_process_group('gloo', init_method=f'file://{port_file}', rank=rank, world_size=2)
    torch.manual_seed(0)
    x = torch.randn(3, 4, 5, 6, 6, dtype=torch.float64)[:, 2 * rank:2 * rank + 2].requires_grad_()
    norm = StepBatchNorm2d(5, sync=True).double()
    y = norm(x)
    y.pow(3).sum().backward()
    half = StepBatchNorm2d(5, sync=True)
    half(300 * x.detach().half())  # squares overflow in half precision
    torch.save((y.detach(), x.grad, norm.running_mean, norm.running_var, half.running_var), f'{path}/{rank}.pt')
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    mp.spawn(_work, (str(tmp_path / 'rendezvous'), str(tmp_path)), nprocs=2)
    parts = [torch.load(tmp_path / f'{rank}.pt') for rank in range(2)]
    torch.manual_seed(0)
    x = torch.randn(3, 4, 5, 6, 6, dtype=torch.float64, requires_grad=True)
    norm = StepBatchNorm2d(5).double()
    y = norm(x)
    y.pow(3).sum().backward()
    torch.testing.assert_close(torch.cat([p[0] for p in parts], 1), y.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.cat([p[1] for p in parts], 1), x.grad, rtol=0, atol=1e-10)
    for _, _, mean, var, half_var in parts:
        torch.testing.assert_close(mean, norm.running_mean, rtol=0, atol=1e-12)
        torch.testing.assert_close(var, norm.running_var, rtol=0, atol=1e-12)
        # 0.9^3 is what the initial variance of 1 leaves after three steps
        torch.testing.assert_close(half_var.double() - 0.9**3, 300**2 * (var - 0.9**3), rtol=1e-2, atol=0)
