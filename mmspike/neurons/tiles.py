"""All time steps on tiles that stay in the cache: the loop that the CPU back ends share.

    x [T, ...] -> [T, P, M] (memory order: P before time, M after) -> tiles [T, n] -> a few steps at a time, row by row

A tile goes through all time steps before the next one begins, so that memory is read once and written once.
"""
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from mmspike.neurons.memory import empty_like

Kernel = Callable[..., None]


def forward(kernel: Kernel, spans: Sequence[slice], width: int, x: Tensor, v: Tensor,
            w: Tensor | None) -> tuple[Tensor, Tensor]:
    """The contract's forward.

    Args:
        kernel: :func:`mmspike.neurons.steps.forward_steps` for some settings, from ``x`` on.
        spans: the time steps, cut into as many as the kernel takes at once.
        width: neurons of a tile, per thread.
    """
    out = empty_like(x)
    v_final = torch.empty_like(out[0], dtype=v.dtype)
    cut = _Cut(out, width)
    xs, outs, v_firsts, v_finals = cut.rows(x), cut.rows(out), cut.rows(v[None]), cut.rows(v_final[None])
    decays = None if w is None else cut.rows(torch.sigmoid(w).expand(v.shape)[None])
    scratch = torch.empty(2, cut.width, dtype=v.dtype, device=v.device)
    for tile in cut:
        x_rows, out_rows, (v_row,), (v_last,) = xs.read(tile), outs.at(tile), v_firsts.read(tile), v_finals.at(tile)
        decay = () if decays is None else decays.read(tile)
        buffers = scratch[:, :len(v_row)].unbind(0)
        for i, span in enumerate(spans):
            v_next = v_last if span is spans[-1] else buffers[i % 2]
            kernel(x_rows[span], v_row, out_rows[span], v_next, *decay)
            v_row = v_next
        outs.write(tile)
        v_finals.write(tile)
    return out, v_final


def backward(forward_kernel: Kernel, backward_kernel: Kernel, spans: Sequence[slice], width: int, grad_out: Tensor,
             grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The contract's backward: each tile runs forward to know the membrane before every span, then back."""
    grad_x = empty_like(x)
    grad_v0 = torch.empty_like(grad_x[0], dtype=v.dtype)
    decay = None if w is None else torch.sigmoid(w)
    grad_decay = None if w is None else torch.zeros_like(grad_v0)
    cut = _Cut(grad_x, width)
    xs, v_firsts, grads, grad_lasts = cut.rows(x), cut.rows(v[None]), cut.rows(grad_out), cut.rows(grad_v[None])
    decays = [] if w is None else [cut.rows(decay.expand(v.shape)[None])]
    results = [cut.rows(grad_x), cut.rows(grad_v0[None])] + ([] if w is None else [cut.rows(grad_decay[None])])
    scratch = torch.empty(len(spans) - 1, cut.width, dtype=v.dtype, device=v.device)
    longest = max((s.stop - s.start for s in spans[:-1]), default=0)
    unused = torch.empty(longest, cut.width, dtype=x.dtype, device=x.device)
    for tile in cut:
        x_rows, grad_rows, (v_row,) = xs.read(tile), grads.read(tile), v_firsts.read(tile)
        decay_rows = [decays[0].read(tile)[0]] if decays else []
        v_rows = (v_row, *scratch[:, :len(v_row)].unbind(0))
        out_rows = unused[:, :len(v_row)].unbind(0)
        for span, v_row, v_next in zip(spans[:-1], v_rows[:-1], v_rows[1:], strict=True):
            forward_kernel(x_rows[span], v_row, out_rows[:span.stop - span.start], v_next, *decay_rows)
        grad_x_rows, (grad,), *grad_decay_rows = (result.at(tile) for result in results)
        grad.copy_(grad_lasts.read(tile)[0])
        learnt = [*decay_rows, *(row.zero_() for (row,) in grad_decay_rows)]
        for span, v_row in zip(reversed(spans), reversed(v_rows), strict=True):
            backward_kernel(grad_rows[span], grad, x_rows[span], v_row, grad_x_rows[span], *learnt)
        for result in results:
            result.write(tile)
    grad_w = None if w is None else grad_decay.sum_to_size(w.shape) * decay * (1 - decay)
    return grad_x, grad_v0, grad_w


Tile = tuple[slice, slice]


class _Cut:
    """How the steps of a dense tensor [T, ...] lie in memory, and the tiles they are cut into.

    Args:
        like: the tensor, as ``torch.empty_like`` gives it.
        width: neurons of a tile, per thread.
    """

    def __init__(self, like: Tensor, width: int) -> None:
        shape, stride = like.shape, like.stride()
        order = sorted(range(1, len(shape)), key=lambda d: -stride[d])
        before = [d for d in order if shape[d] > 1 and stride[d] > stride[0]] if shape[0] > 1 else []
        after = [d for d in order if d not in before]
        self.order = [0, *before, *after]
        self.before, self.after = math.prod(shape[d] for d in before), math.prod(shape[d] for d in after)
        size = self.before * self.after
        self.width = max(1, min(width * torch.get_num_threads(), size) if like.device.type == 'cpu' else size)
        self.group = 1 if 4 * self.after >= self.width else self.width // self.after  # short pieces are gathered

    def rows(self, tensor: Tensor) -> '_Rows':
        """``tensor`` [K, ...], a number of steps, as rows."""
        # reshape copies only where the memory order is another one
        return _Rows(tensor.permute(self.order).reshape(tensor.shape[0], self.before, self.after), self)

    def __iter__(self) -> Iterator[Tile]:
        if self.before * self.after == 0:
            return
        length = math.ceil(self.after / math.ceil(self.after / self.width))  # all about equal
        for p in range(0, self.before, self.group):
            for m in range(0, self.after, length):
                yield slice(p, p + self.group), slice(m, m + length)


class _Rows:
    """Steps [K, P, M], of which a tile is K contiguous rows: views where memory allows, otherwise gathered."""

    def __init__(self, steps: Tensor, cut: _Cut) -> None:
        self.steps = steps
        in_place = cut.group == 1 and (steps.stride(2) == 1 or cut.after == 1)
        self.buffer = None if in_place else steps.new_empty(steps.shape[0] * cut.width)

    def read(self, tile: Tile) -> tuple[Tensor, ...]:
        """Rows to read."""
        rows = self._rows(tile)
        if self.buffer is not None:
            part = self.steps[:, tile[0], tile[1]]
            rows.view(part.shape).copy_(part)
        return rows.unbind(0)

    def at(self, tile: Tile) -> tuple[Tensor, ...]:
        """Rows to write into, of unknown content."""
        return self._rows(tile).unbind(0)

    def write(self, tile: Tile) -> None:
        """Bring home what was written into the rows."""
        if self.buffer is not None:
            part = self.steps[:, tile[0], tile[1]]
            part.copy_(self._rows(tile).view(part.shape))

    def _rows(self, tile: Tile) -> Tensor:
        if self.buffer is None:
            return self.steps[:, tile[0].start, tile[1]]
        part = self.steps[:, tile[0], tile[1]]
        return self.buffer[:part.numel()].view(part.shape[0], -1)
