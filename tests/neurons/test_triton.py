"""The Triton back end against the reference: on a GPU where there is one, in Triton's interpreter in any case.

The interpreter must be chosen before Triton is imported, so it gets a process of its own.
"""
import itertools
import os
import subprocess
import sys

import pytest
import torch

from mmspike.neurons import NeuronSettings, reference, surrogates

pytest.importorskip('triton', reason='Triton is not installed')
INTERPRETED = os.environ.get('TRITON_INTERPRET') == '1'
DEVICE = 'cuda' if torch.cuda.is_available() and not INTERPRETED else 'cpu'
KINDS = ('lif', 'lif tau 1.7', 'if', 'plif', 'plif channels', 'leaky')
RESETS = (0.0, -0.25, None)


def run(code_or_file, *args, **env):
    return subprocess.run([sys.executable, *args, code_or_file], capture_output=True, text=True,
                          env={**os.environ, **env})


@pytest.mark.skipif(INTERPRETED, reason='this is it')
def test_in_the_interpreter():
    done = run(__file__, '-m', 'pytest', '-q', '-x', '-p', 'no:cacheprovider', TRITON_INTERPRET='1',
               CUDA_VISIBLE_DEVICES='')
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_neurons_leave_triton_alone():
    done = run('import sys, mmspike.neurons; sys.exit("triton" in sys.modules)', '-c')
    assert done.returncode == 0, done.stderr


def test_an_old_triton_is_refused():
    done = run('import triton; triton.__version__ = "3.2.0"; import mmspike.neurons.triton_kernels', '-c')
    assert 'ImportError: The triton back end needs Triton 3.3 or newer (torch 2.7), but 3.2.0 is' in done.stderr


@pytest.mark.skipif(INTERPRETED, reason='compiles for a GPU')
@pytest.mark.parametrize(('kind', 'steps', 'inside', 'dtype'), [
    ('lif', 16, False, torch.bfloat16), ('lif tau 1.7', 4, True, torch.float32), ('plif', 3, True, torch.bfloat16),
    ('plif channels', 17, False, torch.float16), ('if', 33, True, torch.float32), ('leaky', 1, False, torch.float16)])
def test_compiles_without_a_gpu(kind, steps, inside, dtype, monkeypatch, tmp_path):
    """The interpreter accepts more than the compiler does: build for compute capability 9.0, look at the PTX."""
    monkeypatch.setenv('TRITON_CACHE_DIR', str(tmp_path))
    import triton
    from triton.backends.compiler import GPUTarget

    from mmspike.neurons import triton_kernels
    built = {}

    class Compiler:
        def __init__(self, kernel):
            self.kernel = kernel

        def __getitem__(self, grid):
            return self

        def __call__(self, *args, num_warps, enable_fp_fusion, **options):
            options |= zip(self.kernel.arg_names, args, strict=False)
            names, types, constants, attributes = self.kernel.arg_names, {}, {}, {}
            for i, name in enumerate(names):
                value = options[name]
                if name.isupper() or name == 'rest' or value is None or (type(value) is int and value == 1):
                    types[name], constants[name] = 'constexpr', value
                elif isinstance(value, torch.Tensor):
                    types[name] = {torch.float32: '*fp32', torch.float16: '*fp16', torch.bfloat16: '*bf16'}[value.dtype]
                    attributes[i,] = [['tt.divisibility', 16]]
                else:
                    types[name] = 'fp32' if isinstance(value, float) else 'i32'
                    attributes[i,] = [['tt.divisibility', 16]] if value % 16 == 0 else []
            source = triton.compiler.ASTSource(self.kernel, types, constants, attributes)
            built[self.kernel.__name__] = triton.compile(source, target=GPUTarget('cuda', 90, 32), options=dict(
                num_warps=num_warps, enable_fp_fusion=enable_fp_fusion)).asm['ptx']

    monkeypatch.setattr(triton_kernels, 'INTERPRETED', True)
    monkeypatch.setattr(triton_kernels, 'forward_kernel', Compiler(triton_kernels.forward_kernel))
    monkeypatch.setattr(triton_kernels, 'backward_kernel', Compiler(triton_kernels.backward_kernel))
    x, v, w, settings = case(kind, steps, shape=(2, 4, 32, 16), dtype=dtype)
    x = x.transpose(0, 1).contiguous().transpose(0, 1) if inside else x
    out, v_final = triton_kernels.forward(x, v, w, settings)
    triton_kernels.backward(out, v_final, x, v, w, settings)
    forward, backward = built['forward_kernel'], built['backward_kernel']
    assert 'fma.' not in forward  # nothing fused behind our back
    assert ('div.rn.' in forward) == ('div.rn.' in backward) == (kind == 'lif tau 1.7')
    assert '.local' not in forward + backward  # all of the state is in registers
    assert 'ld.global.b16' not in forward + backward  # neighbours are loaded together


def case(kind, steps, shape=(2, 4, 5, 6), dtype=torch.float32, seed=0, **options):
    """x, v, w, settings"""
    generator = torch.Generator().manual_seed(seed)
    x = (torch.randn(steps, *shape, generator=generator) + 0.3).mul(1.5).to(dtype)
    v = torch.randn(shape, generator=generator) * 0.5
    w = None
    if kind.startswith('plif'):
        w = torch.randn((shape[1], *[1] * len(shape[2:])) if 'channels' in kind else (), generator=generator)
    return x, v, w, NeuronSettings(kind.split()[0], tau=1.7 if 'tau' in kind else 2.0, **options)


def check(x, v, w, settings, seed=1):
    """Outputs equal to the last bit, gradients to rounding, memory order kept."""
    from mmspike.neurons import triton_kernels
    generator = torch.Generator().manual_seed(seed)
    inputs = [None if t is None else move(t) for t in (x, v, w)]
    # The reference on the CPU where tau divides, since torch on CUDA multiplies by its reciprocal; on the device where
    # the decay is a sigmoid, which may differ in the last bit
    home = torch.device('cpu' if w is None else DEVICE)
    leaves = [t.detach().to(home).requires_grad_() for t in (x, v, w) if t is not None]
    expected = reference.simulate(leaves[0], leaves[1], leaves[2] if w is not None else None, settings)
    seeds = [torch.randn(t.shape, generator=generator).to(t.dtype) for t in expected]
    expected_grads = [g.cpu() for g in torch.autograd.grad(expected, leaves, [s.to(home) for s in seeds])]
    expected = [t.detach().cpu() for t in expected]

    out, v_final = triton_kernels.forward(*inputs, settings)
    grads = [g for g in triton_kernels.backward(*map(move, seeds), *inputs, settings) if g is not None]
    half = 0 if x.dtype == torch.float32 else torch.finfo(x.dtype).eps  # the interpreter truncates
    assert out.dtype == x.dtype and torch.equal(v_final.cpu(), expected[1])
    if settings.kind == 'leaky':
        torch.testing.assert_close(out.cpu(), expected[0], rtol=half, atol=0)
    else:
        assert torch.equal(out.cpu(), expected[0])
    for i, (grad, correct) in enumerate(zip(grads, expected_grads, strict=True)):
        scale = max([1, *correct.abs().flatten().tolist()])
        torch.testing.assert_close(grad.cpu(), correct, rtol=half if i == 0 else 0, atol=1e-5 * scale)
    for like in (out, grads[0]):
        assert like.stride() == torch.empty_like(inputs[0]).stride()
    return out, v_final, grads


def move(t):
    """To the device, with the strides as they are: expanded, with gaps, in any order."""
    memory = t.detach().as_strided([t.untyped_storage().nbytes() // t.element_size()], [1], 0)
    return memory.to(DEVICE).as_strided(t.shape, t.stride(), t.storage_offset())


def _batch_first(x):
    return x.transpose(0, 1).contiguous().transpose(0, 1)


LAYOUTS = {
    'time first': lambda x: x,
    'batch first': _batch_first,
    'channels last': lambda x: x.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3),
    'batch first, channels last': lambda x: x.permute(1, 0, 3, 4, 2).contiguous().permute(1, 0, 4, 2, 3),
    'time last': lambda x: x.permute(1, 2, 3, 4, 0).contiguous().permute(4, 0, 1, 2, 3),
    'one step expanded': lambda x: x[:1].expand(x.shape),
    'every other step': lambda x: x.repeat_interleave(2, 0)[::2],
    'with gaps': lambda x: x.repeat_interleave(2, 4)[..., ::2],
    'gaps between clips': lambda x: _batch_first(x.repeat_interleave(2, 0))[::2],
    'one step of a clip': lambda x: _batch_first(x)[-1:],
}


class TestKernels:
    __test__ = INTERPRETED or DEVICE == 'cuda'

    @pytest.mark.parametrize(('kind', 'v_reset', 'decay_input', 'detach_reset'),
                             itertools.product(KINDS, RESETS, (True, False), (True, False)))
    def test_dynamics(self, kind, v_reset, decay_input, detach_reset):
        if kind == 'leaky' and (v_reset != 0 or detach_reset):
            return  # it never resets
        some = KINDS.index(kind) + 2 * RESETS.index(v_reset) + 3 * decay_input + detach_reset
        check(*case(kind, (1, 3, 4, 16, 17, 33)[some % 6], v_reset=v_reset, decay_input=decay_input,
                    detach_reset=detach_reset, surrogate=list(surrogates)[some % 7], alpha=1.5, v_threshold=0.8))

    @pytest.mark.parametrize('surrogate', surrogates)
    @pytest.mark.parametrize('v_reset', RESETS[1:])
    def test_surrogates(self, surrogate, v_reset):
        x, v, w, _ = case('lif', 4)
        ties = [(x * 4).round() / 4, (v * 4).round() / 4]  # also with the edge of the rectangle, |u| = 1/4
        for alpha, inputs in itertools.product((2.0, 0.7), ([x, v], ties, [x * 1e4, v])):
            check(*inputs, w, NeuronSettings('lif', v_reset=v_reset, surrogate=surrogate, alpha=alpha))

    @pytest.mark.parametrize('steps', [1, 4, 17])
    @pytest.mark.parametrize('layout', LAYOUTS)
    def test_memory_order(self, layout, steps):
        for kind, dtype in (('lif', torch.float32), ('plif channels', torch.bfloat16)):
            x, v, w, settings = case(kind, steps, dtype=dtype)
            check(LAYOUTS[layout](x), v, w, settings)

    @pytest.mark.parametrize('shape', [(), (3,), (1, 1), (2, 1, 3), (2, 2, 1, 700), (3, 5, 1, 1, 400)])
    def test_shapes(self, shape):
        for x, v, w, settings in (case('lif', 4, shape), case('plif channels' if len(shape) > 1 else 'plif', 4, shape)):
            check(x, v, w, settings)

    @pytest.mark.parametrize('steps', [4, 16, 33])
    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
    def test_half_precision(self, dtype, steps):
        for kind in ('lif', 'plif', 'leaky'):
            check(*case(kind, steps, dtype=dtype))

    @pytest.mark.parametrize('v', [torch.tensor(0.375).expand(2, 4, 5, 6), torch.randn(5, 1).expand(2, 4, 5, 6),
                                   torch.randn(5, 6, 4, 2).permute(3, 2, 0, 1)])
    def test_initial_membranes(self, v):
        x, _, w, settings = case('lif', 4)
        check(x, v, w, settings)

    @pytest.mark.parametrize('tau', [1.0, 2.0, 3.0, 1.3])
    @pytest.mark.parametrize('decay_input', [True, False])
    def test_exact_ties(self, tau, decay_input):
        """Currents in steps of 1/8, and such that h is the threshold but for rounding."""
        x, v, w, _ = case('lif', 16, (700,))
        x, v = (x * 8).round() / 8, (v * 8).round() / 8
        x[::3] = tau if decay_input else 1.0
        settings = NeuronSettings('lif', tau=tau, decay_input=decay_input, v_reset=None)
        out, _, _ = check(x, v, w, settings)
        assert 0.01 < out.mean() < 0.99

    def test_gradient_of_the_decay_over_many_programs(self, monkeypatch):
        from mmspike.neurons import triton_kernels
        monkeypatch.setattr(triton_kernels, 'PROGRAMS', 2)
        monkeypatch.setattr(triton_kernels, 'WARPS', 1)  # blocks of 128 neurons
        for layout, shape, kind in itertools.product(('time first', 'channels last', 'batch first'),
                                                     ((6, 4, 4, 12), (5, 3, 7, 11)), ('plif', 'plif channels')):
            x, v, w, settings = case(kind, 2, shape)
            x = LAYOUTS[layout](x)
            _, _, (*_, once) = check(x, v, w, settings)
            _, _, (*_, again) = check(x, v, w, settings)
            assert torch.equal(once, again)

    @pytest.mark.parametrize('layout', ['time first', 'batch first'])
    def test_64_bit_places(self, layout, monkeypatch):
        from mmspike.neurons import triton_kernels
        x, v, w, settings = case('plif channels', 17)
        expected = check(LAYOUTS[layout](x), v, w, settings)
        monkeypatch.setattr(triton_kernels, 'INDEX_LIMIT', 0)
        actual = check(LAYOUTS[layout](x), v, w, settings)
        torch.testing.assert_close(actual, expected, rtol=0, atol=0)

    @pytest.mark.parametrize('kind', KINDS)
    def test_streaming_equals_one_call(self, kind):
        from mmspike.neurons import triton_kernels
        x, v, w, settings = case(kind, 20)
        x, v, w = (None if t is None else t.to(DEVICE) for t in (x, v, w))
        expected = triton_kernels.forward(x, v, w, settings)
        outs = []
        for part in x.split([1, 2, 17]):
            out, v = triton_kernels.forward(part, v, w, settings)
            outs.append(out)
        assert torch.equal(torch.cat(outs), expected[0]) and torch.equal(v, expected[1])

    def test_empty_batch(self):
        x, v, w, settings = case('plif', 4, (0, 3))
        check(x, v, w, settings)

    @pytest.mark.parametrize('x', [torch.ones(2, 3, dtype=torch.float64), torch.ones(2, 3, dtype=torch.int32)])
    def test_error(self, x):
        from mmspike.neurons import triton_kernels
        with pytest.raises(TypeError, match=f'input is {x.dtype} on cpu, but it takes .* on a CUDA device; choose'):
            triton_kernels.forward(x, torch.zeros(3), None, NeuronSettings('lif'))

    @pytest.mark.skipif(DEVICE == 'cpu', reason='measures the memory of a GPU')
    @pytest.mark.parametrize('steps', [16, 64])
    def test_memory(self, steps):
        from mmspike.neurons import triton_kernels
        x = torch.randn(steps, 2**20, device=DEVICE, dtype=torch.bfloat16)
        v = torch.zeros((), device=DEVICE).expand(2**20)
        settings, step = NeuronSettings('lif'), 4 * 2**20
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        out, v_final = triton_kernels.forward(x, v, None, settings)
        assert torch.cuda.max_memory_allocated() - before <= out.nbytes + step + 4096
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        triton_kernels.backward(out, v_final, x, v, None, settings)
        checkpoints = steps // 16 * step if steps > 16 else 0
        assert torch.cuda.max_memory_allocated() - before <= x.nbytes + step + checkpoints + 4096
