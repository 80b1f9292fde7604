"""Device code of the Triton back end: a program takes BLOCK neurons through all time steps, their state in registers.

    load UNROLL steps of x  ->  charge, fire, reset, step by step  ->  store       (up to 16 steps: one such chunk)

Loads come before the first store, so that all of them are in flight at once: the compiler may not move a load over a
store that could alias it. Neurons are counted in memory order (``n``); ``where`` is the place of neuron n in [T, ...].

Equal to the reference to the last tie: charge and reset use its operations in its order, divisions are IEEE
(``div_rn``), and the kernels must be launched with ``enable_fp_fusion=False``, or multiply-adds would skip a rounding.
Gradients decide nothing: they use fused multiply-adds and the fast functions.
"""
import triton
import triton.language as tl


@triton.jit
def _place(block, size, steps, inner, BLOCK: tl.constexpr, INDEX: tl.constexpr, SPLIT: tl.constexpr):
    """Neurons of a block, their place at the first step (memory is [outer, T, inner]), and which of them exist."""
    n = tl.cast(block, INDEX) * BLOCK + tl.arange(0, BLOCK)
    where = n
    if SPLIT:
        where = n + n // inner * (steps - 1) * inner
    return n, where, n < size


@triton.jit
def _exists(mask, t, steps, RAGGED: tl.constexpr):
    """Neurons to read and write at step t: none past the last one, where the chunks are longer than the input."""
    if RAGGED:
        mask = tl.where(t < steps, mask, False)
    return mask


@triton.jit
def _load_steps(ptr, stride, where, mask, first, steps, UNROLL: tl.constexpr, RAGGED: tl.constexpr):
    """UNROLL steps from step ``first`` on, in fp32; zeros past the last one."""
    tiles = ()
    for t in tl.static_range(UNROLL):
        exists = _exists(mask, first + t, steps, RAGGED)
        tiles = tiles + (tl.load(ptr + (first + t) * stride + where, exists, other=0).to(tl.float32),)
    return tiles


@triton.jit
def _leak(rate, decay_ptr, n, channels, channel_stride):
    """What the change of the membrane is divided by or multiplied with: of the layer, or of the neuron's channel."""
    leak = rate
    if decay_ptr is not None:
        leak = tl.load(decay_ptr + n // channel_stride % channels)
    return leak


@triton.jit
def _charge(x, v, rest, leak, LEAK: tl.constexpr, DECAY_INPUT: tl.constexpr):
    """Membrane before firing."""
    if LEAK == 'none':
        h = v + x
    else:
        change = v - rest
        if DECAY_INPUT:
            change = x - change
        change = tl.div_rn(change, leak) if LEAK == 'divide' else change * leak
        h = v + change if DECAY_INPUT else v - change + x
    return h


@triton.jit
def _reset(h, threshold, rest, RESET: tl.constexpr):
    """Membrane after firing."""
    if RESET == 'hard':
        v = tl.where(h >= threshold, rest, h)
    elif RESET == 'soft':
        v = tl.where(h >= threshold, h - threshold, h)
    else:
        v = h
    return v


@triton.jit
def _inverse(q):
    """1 / q for q >= 1 to some units in the last place, for gradients: a third of the instructions of a division."""
    root = tl.rsqrt(q)
    return root * root


@triton.jit
def _surrogate(u, height, scale, SURROGATE: tl.constexpr):
    """The formulas of mmspike.neurons.surrogate, with their constants in ``height`` and ``scale``."""
    if SURROGATE == 'sigmoid':
        e = tl.exp(-tl.abs(scale * u))
        slope = height * e * _inverse((1 + e) * (1 + e))
    elif SURROGATE == 'atan':
        slope = height * _inverse(tl.fma(scale * u, scale * u, 1.0))
    elif SURROGATE == 'triangle':
        slope = tl.maximum(tl.fma(-scale, tl.abs(u), height), 0)
    elif SURROGATE == 'rectangle':
        slope = tl.where(tl.abs(u) < scale, height, 0)
    elif SURROGATE == 'erf':
        slope = height * tl.exp(-(scale * u * (scale * u)))
    else:
        tl.static_assert(SURROGATE == 'soft_sign' or SURROGATE == 'super_spike')
        root = tl.fma(scale, tl.abs(u), 1.0)
        slope = height * _inverse(root * root)
    return slope


@triton.jit
def _fire_backward(grad_out, grad_v, h, threshold, rest, height, scale, RESET: tl.constexpr, DETACH: tl.constexpr,
                   SURROGATE: tl.constexpr):
    """Gradient of h, from those of the output and of the membrane after the reset."""
    if RESET == 'never':
        grad_h = grad_v + grad_out
    else:
        grad_spike = grad_out
        grad_h = grad_v
        if RESET == 'hard':
            grad_h = tl.where(h >= threshold, 0, grad_v)
            if not DETACH:
                grad_spike = tl.fma(grad_v, rest - h, grad_out)
        elif not DETACH:
            grad_spike = tl.fma(grad_v, -threshold, grad_out)
        grad_h = tl.fma(grad_spike, _surrogate(h - threshold, height, scale, SURROGATE), grad_h)
    return grad_h


@triton.jit
def _charge_backward(grad_h, x, v, rest, leak, LEAK: tl.constexpr, DECAY_INPUT: tl.constexpr):
    """Gradients of x, of v and of the decay (for one that is multiplied with)."""
    grad_x = grad_h
    grad_v = grad_h
    grad_decay = grad_h
    if LEAK != 'none':
        lost = grad_h * (1 / leak) if LEAK == 'divide' else grad_h * leak  # there a scalar: one division for all
        grad_v = grad_h - lost
        if DECAY_INPUT:
            grad_x = lost
            grad_decay = grad_h * (x - (v - rest))
        else:
            grad_decay = grad_h * (rest - v)
    return grad_x, grad_v, grad_decay


@triton.jit
def forward_kernel(out_ptr, v_final_ptr, x_ptr, v_ptr, decay_ptr, size, steps, chunks, inner, x_stride, out_stride,
                   v_stride, channels, channel_stride, rate, threshold, rest: tl.constexpr,
                   LEAK: tl.constexpr, DECAY_INPUT: tl.constexpr, RESET: tl.constexpr, UNROLL: tl.constexpr,
                   RAGGED: tl.constexpr, SPLIT: tl.constexpr, INDEX: tl.constexpr, BLOCK: tl.constexpr):
    n, where, mask = _place(tl.program_id(0), size, steps, inner, BLOCK, INDEX, SPLIT)
    leak = _leak(rate, decay_ptr, n, channels, channel_stride)
    v = tl.load(v_ptr + n * v_stride, mask, other=0)
    for chunk in range(chunks):
        first = tl.cast(chunk, INDEX) * UNROLL
        xs = _load_steps(x_ptr, x_stride, where, mask, first, steps, UNROLL, RAGGED)
        for t in tl.static_range(UNROLL):
            h = _charge(xs[t], v, rest, leak, LEAK, DECAY_INPUT)
            after = _reset(h, threshold, rest, RESET)
            out = h
            if RESET != 'never':
                out = (h >= threshold).to(tl.float32)
            if RAGGED:
                after = tl.where(first + t < steps, after, v)
            v = after
            tl.store(out_ptr + (first + t) * out_stride + where, out, _exists(mask, first + t, steps, RAGGED))
    tl.store(v_final_ptr + n, v, mask)


@triton.jit
def backward_kernel(grad_x_ptr, grad_v0_ptr, grad_decay_ptr, checkpoint_ptr, grad_out_ptr, grad_v_ptr, x_ptr, v_ptr,
                    decay_ptr, size, steps, chunks, rounds, inner, x_stride, out_stride, v_stride, grad_v_stride,
                    channels, channel_stride, rate, threshold, height, scale, rest: tl.constexpr,
                    LEAK: tl.constexpr, DECAY_INPUT: tl.constexpr, RESET: tl.constexpr, DETACH: tl.constexpr,
                    SURROGATE: tl.constexpr, UNROLL: tl.constexpr, RAGGED: tl.constexpr, SPLIT: tl.constexpr,
                    INDEX: tl.constexpr, BLOCK: tl.constexpr):
    total = tl.zeros([BLOCK], tl.float32)
    for r in range(rounds):
        block = tl.program_id(0) + r * tl.num_programs(0)
        n, where, mask = _place(block, size, steps, inner, BLOCK, INDEX, SPLIT)
        leak = _leak(rate, decay_ptr, n, channels, channel_stride)
        v = tl.load(v_ptr + n * v_stride, mask, other=0)
        if checkpoint_ptr is not None:  # the membrane before every chunk
            for chunk in range(chunks - 1):
                first = tl.cast(chunk, INDEX) * UNROLL
                xs = _load_steps(x_ptr, x_stride, where, mask, first, steps, UNROLL, False)
                tl.store(checkpoint_ptr + tl.cast(chunk, INDEX) * size + n, v, mask)
                for t in tl.static_range(UNROLL):
                    v = _reset(_charge(xs[t], v, rest, leak, LEAK, DECAY_INPUT), threshold, rest, RESET)
            tl.store(checkpoint_ptr + tl.cast(chunks - 1, INDEX) * size + n, v, mask)
            tl.debug_barrier()  # makes them visible to all threads of this program
        grad_v = tl.load(grad_v_ptr + n * grad_v_stride, mask, other=0)
        for done in range(chunks):
            chunk = tl.cast(chunks - 1 - done, INDEX)
            first = chunk * UNROLL
            xs = _load_steps(x_ptr, x_stride, where, mask, first, steps, UNROLL, RAGGED)
            grads = _load_steps(grad_out_ptr, out_stride, where, mask, first, steps, UNROLL, RAGGED)
            if checkpoint_ptr is not None:
                v = tl.load(checkpoint_ptr + chunk * size + n, mask, other=0)
            start = v
            hs = ()
            for t in tl.static_range(UNROLL):
                hs = hs + (_charge(xs[t], v, rest, leak, LEAK, DECAY_INPUT),)
                v = _reset(hs[t], threshold, rest, RESET)
            for t in tl.static_range(UNROLL - 1, -1, -1):
                before = start
                if t > 0:
                    before = _reset(hs[t - 1], threshold, rest, RESET)
                grad_h = _fire_backward(grads[t], grad_v, hs[t], threshold, rest, height, scale, RESET, DETACH,
                                        SURROGATE)
                grad_x, grad_before, grad_decay = _charge_backward(grad_h, xs[t], before, rest, leak, LEAK, DECAY_INPUT)
                exists = _exists(mask, first + t, steps, RAGGED)
                if RAGGED:
                    grad_before = tl.where(first + t < steps, grad_before, grad_v)
                    grad_decay = tl.where(first + t < steps, grad_decay, 0)
                grad_v = grad_before
                if grad_decay_ptr is not None:
                    total += grad_decay
                tl.store(grad_x_ptr + (first + t) * out_stride + where, grad_x, exists)
        tl.store(grad_v0_ptr + n, grad_v, mask)
    if grad_decay_ptr is not None:  # [programs, BLOCK]: every lane of a program has met one channel only
        tl.store(grad_decay_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), total)
