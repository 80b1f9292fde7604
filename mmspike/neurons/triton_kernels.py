"""The Triton back end (CUDA; anywhere under Triton's interpreter): one kernel forward, one backward.

Membranes are fp32 in registers for fp32, fp16 and bf16 input. Forward reads x and v and writes the output and the final
v; backward reads x again, recomputes the membranes and needs no other memory, but beyond 16 steps one fp32 membrane per
16 steps. Strides are kept: nothing dense is copied. Kernels are compiled per dtype, settings and number of steps (above
16: for chunks of 9 to 16 steps), never per size. Gradients are deterministic.

Arithmetic, in machine instructions per neuron and step for compute capability 9.0 (bf16, T = 16, atan): 11 forward, 27
backward. A tau that is no power of two adds 16 to each: an IEEE division, without which ties would fall differently.

Import this module only where it is to be used. Its two functions are the contract of mmspike.neurons.backends.

Raises:
    ImportError: no Triton, or one that is too old.
"""
import functools
import math
from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.triton_device import backward_kernel, forward_kernel

if tuple(map(int, triton.__version__.split('.')[:2])) < (3, 3):
    raise ImportError(f'The triton back end needs Triton 3.3 or newer (torch 2.7), but {triton.__version__} is '
                      'installed: its compiler has no tuples. Upgrade torch, or choose another back end.')

LONGEST_UNROLLED = 16
"""Time steps that are unrolled, and kept in registers in backward."""

WARPS = 4
"""Warps of 32 threads in a program."""

PROGRAMS = 2048
"""Programs that share the gradient of a decay: enough to fill any GPU of today, few enough to add up afterwards."""

INDEX_LIMIT = 2**31 - 2**13
"""Places in memory from which on 64-bit numbers are used for them."""

INTERPRETED = not isinstance(forward_kernel, triton.JITFunction)
"""Whether Triton's interpreter runs the kernels (TRITON_INTERPRET=1 before Triton was first imported)."""

OPTIONS = dict(num_warps=WARPS, enable_fp_fusion=False)  # fused, a multiply-add rounds once, and ties fall differently


def forward(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """All time steps.

    Shape: ``x`` [T, ...], ``v`` [...] -> output [T, ...], final ``v`` [...].

    Raises:
        TypeError: a dtype or device that Triton does not run on.
    """
    layout = _Layout.of(x)
    out, v_final = layout.empty(), layout.empty_step(v)
    if x.numel():
        v, v_stride = layout.step(v)
        decay, channel = layout.decay(w)
        block = _block_size(layout, parametric=False)
        with torch.cuda.device_of(x):
            forward_kernel[(triton.cdiv(layout.size, block),)](
                out, v_final, layout.x, v, decay, **layout.arguments(), v_stride=v_stride, **channel,
                **_dynamics(settings), BLOCK=block, **OPTIONS)
    return out, v_final


def backward(grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None,
             settings: NeuronSettings) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradients of ``x``, ``v`` and ``w`` (``None`` where there is no ``w``), from those of the two outputs."""
    layout = _Layout.of(x)
    grad_x, grad_v0 = layout.empty(), layout.empty_step(v)
    if not x.numel():
        return grad_x, grad_v0, None if w is None else torch.zeros_like(w)
    v, v_stride = layout.step(v)
    grad_v, grad_v_stride = layout.step(grad_v)
    decay, channel = layout.decay(w)
    block = _block_size(layout, parametric=w is not None)
    blocks = programs = triton.cdiv(layout.size, block)
    grad_decay = checkpoints = None
    if w is not None:
        programs = _shared_programs(blocks, block, channel['channels'] * channel['channel_stride'])
        grad_decay = x.new_empty(programs * block, dtype=torch.float32)
    if layout.chunks > 1:
        checkpoints = x.new_empty(layout.chunks * layout.size, dtype=torch.float32)
    with torch.cuda.device_of(x):
        backward_kernel[(programs,)](
            grad_x, grad_v0, grad_decay, checkpoints, layout.aligned(grad_out), grad_v, layout.x, v, decay,
            **layout.arguments(), rounds=triton.cdiv(blocks, programs), v_stride=v_stride, grad_v_stride=grad_v_stride,
            **channel, **_dynamics(settings), **_slope(settings), BLOCK=block, **OPTIONS)
    if w is None:
        return grad_x, grad_v0, None
    # lanes -> [repetitions, C, neurons side by side] -> [C]
    lanes = grad_decay[:layout.size].view(-1, channel['channels'], channel['channel_stride'])
    return grad_x, grad_v0, lanes.sum((0, 2)).view(w.shape) * (decay * (1 - decay)).view(w.shape)


@dataclass(frozen=True)
class _Layout:
    """How the neurons of ``x`` [T, ...] lie in memory: [outer, T, inner], with outer x inner = size.

    Args:
        x: the input, copied only where a step of it has gaps or overlaps.
        strides: of the output and of the gradient of x: those of ``torch.empty_like(x)``.
        step_strides: of one membrane per neuron.
        size: neurons.
        inner: neurons side by side within one step.
    """

    x: Tensor
    strides: tuple[int, ...]
    step_strides: tuple[int, ...]
    size: int
    inner: int

    @classmethod
    def of(cls, x: Tensor) -> '_Layout':
        if x.dtype not in (torch.float32, torch.float16, torch.bfloat16) or not (x.is_cuda or INTERPRETED):
            raise TypeError(f'triton back end: the input is {x.dtype} on {x.device}, but it takes float32, float16 or '
                            'bfloat16 on a CUDA device; choose another back end.')
        strides = x.stride() if _is_dense(x) else torch.empty_like(x, device='meta').stride()
        # steps may lie at any distance from each other (one step expanded over time), but a step must be in order
        if not _same_order(x.shape[1:], x.stride()[1:], strides[1:]):
            x = torch.empty_like(x).copy_(x)
        steps, size = len(x), math.prod(x.shape[1:])
        inner = strides[0] if steps > 1 else size
        step_strides = tuple(s // steps if s > inner else s for s in strides[1:])
        return cls(x, strides, step_strides, size, inner)

    @property
    def chunks(self) -> int:
        return triton.cdiv(len(self.x), LONGEST_UNROLLED)

    def arguments(self) -> dict:
        """What the kernels must know of this layout."""
        steps, chunks = len(self.x), self.chunks
        unroll = triton.cdiv(steps, chunks)  # chunks of equal length: few steps are run in vain
        x_stride, out_stride = self.x.stride(0), self.strides[0]
        reach = (steps + 1) * (self.size + max(x_stride, out_stride))  # more than the last place that is computed
        return dict(size=self.size, steps=steps, chunks=chunks, inner=self.inner, x_stride=x_stride,
                    out_stride=out_stride, UNROLL=unroll, RAGGED=steps % unroll != 0, SPLIT=self.inner != self.size,
                    INDEX=tl.int32 if reach < INDEX_LIMIT else tl.int64)

    def empty(self) -> Tensor:
        return self.x.new_empty_strided(self.x.shape, self.strides)

    def empty_step(self, v: Tensor) -> Tensor:
        return v.new_empty_strided(v.shape, self.step_strides)

    def aligned(self, grad: Tensor) -> Tensor:
        """``grad`` in the memory order of the output, copied only where it has another."""
        return grad if _same_order(grad.shape, grad.stride(), self.strides) else self.empty().copy_(grad)

    def step(self, v: Tensor) -> tuple[Tensor, int]:
        """A membrane in the order of the neurons, and the distance of two neurons in it: 0 for an expanded number."""
        if not any(s for s, length in zip(v.stride(), v.shape, strict=True) if length > 1):
            return v, 0
        return (v if _same_order(v.shape, v.stride(), self.step_strides) else self.empty_step(v).copy_(v)), 1

    def decay(self, w: Tensor | None) -> tuple[Tensor | None, dict]:
        """The decay, and how to find that of a neuron."""
        if w is None:
            return None, dict(channels=1, channel_stride=1)
        # with torch, as in the reference: another sigmoid may differ in the last bit
        return torch.sigmoid(w).contiguous(), dict(
            channels=w.numel(), channel_stride=self.step_strides[1] if w.numel() > 1 else 1)


def _is_dense(x: Tensor) -> bool:
    """Without gaps and overlaps, in any order of the axes."""
    expected = 1
    for stride, length in sorted((s, n) for s, n in zip(x.stride(), x.shape, strict=True) if n != 1):
        if stride != expected:
            return False
        expected *= length
    return True


def _same_order(shape: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two strides place every element alike."""
    return all(i == j for i, j, length in zip(a, b, shape, strict=True) if length != 1)


def _block_size(layout: _Layout, parametric: bool) -> int:
    """Neurons of a program: as many per thread as 16 bytes of input hold, but at most 64 membranes in registers."""
    unroll = triton.cdiv(len(layout.x), layout.chunks) * (2 if parametric else 1)
    per_thread = min(16 // layout.x.element_size(), max(64 // unroll, 1))
    return 32 * WARPS * 2 ** int(math.log2(per_thread))


def _shared_programs(blocks: int, block: int, period: int) -> int:
    """Programs that share the gradient of a decay; program p runs the blocks p, p + programs, ...

    Channels repeat every ``period`` neurons. A lane must meet one channel only, so a whole number of periods has to lie
    between two blocks of a program.
    """
    unit = period // math.gcd(period, block)
    return min(blocks, max(PROGRAMS // unit, 1) * unit)


@functools.lru_cache(maxsize=256)
def _dynamics(s: NeuronSettings) -> dict:
    """Settings as arguments of both kernels."""
    leak, rate = ('none', 1.0) if s.kind == 'if' else ('multiply', 1.0) if s.kind == 'plif' else ('divide', s.tau)
    if leak == 'divide' and math.frexp(s.tau)[0] == 0.5:
        leak, rate = 'multiply', 1 / s.tau  # a power of two: exact both ways
    reset = 'never' if s.kind == 'leaky' else 'soft' if s.v_reset is None else 'hard'
    return dict(rate=float(rate), threshold=float(s.v_threshold), rest=s.rest, LEAK=leak, DECAY_INPUT=s.decay_input,
                RESET=reset)


@functools.lru_cache(maxsize=256)
def _slope(s: NeuronSettings) -> dict:
    """Surrogate as arguments of the backward kernel; its constants are computed here, in float64, as torch does."""
    a = float(s.alpha)
    height, scale = {
        'sigmoid': (a, a),
        'atan': (a / 2, math.pi / 2 * a),
        'triangle': (a, a**2),
        'rectangle': (a, 0.5 / a),
        'erf': (a / math.sqrt(math.pi), a),
        'soft_sign': (a / 2, a),
        'super_spike': (a, 1.0),
    }[s.surrogate]
    return dict(height=height, scale=scale, SURROGATE=s.surrogate, DETACH=s.detach_reset)
