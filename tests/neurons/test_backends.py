"""Every back end against the reference: any shape, strides, dtype and option; and the choice between them."""
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import mmspike.neurons
from mmspike.neurons import LIF, NeuronSettings, backends, compiled, lif, surrogates, tiled
from mmspike.neurons.functional import simulate

# Rows of the tiles under test: short, so that small inputs are cut into many.
WIDTHS = (7, 16, 10**6)
# What is compiled in these tests, each some seconds of the C++ compiler on the first run of a machine.
COMPILED = {
    (torch.float32, 4): NeuronSettings('lif', tau=4 / 3, v_reset=-0.2, surrogate='sigmoid', alpha=4.0),
    (torch.float64, 1): NeuronSettings('plif', v_reset=None, decay_input=False, surrogate='soft_sign'),
    (torch.bfloat16, 1): NeuronSettings('lif', detach_reset=True),
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 1e-2, torch.float16: 2e-3}

neuron_settings = st.builds(
    NeuronSettings, st.sampled_from(['lif', 'if', 'plif', 'leaky']), tau=st.sampled_from([1.0, 4 / 3, 2.0, 7.3]),
    v_threshold=st.sampled_from([1.0, 0.3]), v_reset=st.sampled_from([0.0, None, -0.3, 0.2]),
    decay_input=st.booleans(), detach_reset=st.booleans(), surrogate=st.sampled_from(sorted(surrogates)),
    alpha=st.sampled_from([0.7, 2.0, 4.0]))


@st.composite
def arrays(draw, shape, dtype):
    """A tensor of that shape: axes in any memory order, dense, with gaps, or expanded; some values on the threshold."""
    order = draw(st.permutations(range(len(shape))))
    gap, expanded = draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([None, None, *range(len(shape))]))
    memory = [1 if d == expanded else shape[d] for d in order]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    values = torch.randn([*memory, gap], generator=generator, dtype=torch.float64) * 1.5 + 0.3
    values = (values * 8).round() / 8 if draw(st.booleans()) else values  # then ties with the threshold are frequent
    tensor = values.to(dtype)[..., 0].permute([order.index(d) for d in range(len(shape))])
    return tensor.expand(shape)


@st.composite
def calls(draw, settings=neuron_settings, dtypes=tuple(TOLERANCE), steps=range(1, 10)):
    """Arguments of a back end, and gradients of both results."""
    s, dtype = draw(settings), draw(st.sampled_from(dtypes))
    state = torch.promote_types(dtype, torch.float32)
    step = draw(st.lists(st.integers(1, 6), min_size=2 if s.kind == 'plif' else 0, max_size=4))
    shape = (draw(st.sampled_from(steps)), *step)
    w = None if s.kind != 'plif' else draw(st.sampled_from([(), (step[1],)]).flatmap(lambda c: arrays(c, state)))
    return (draw(arrays(shape, dtype)), draw(arrays(step, state)), w, s,
            draw(arrays(shape, dtype)), draw(arrays(step, state)))


def _run(backend, x, v, w, s, grad_out, grad_v):
    inputs = [t.detach().requires_grad_() for t in (x, v, w) if t is not None]
    out, v_final = simulate(*inputs[:2], None if w is None else inputs[2], s, backend)
    return out, v_final, torch.autograd.grad((out, v_final), inputs, (grad_out, grad_v))


def _assert_equals_reference(backend, x, *call):
    out, v_final, grads = _run(backend, x, *call)
    expected, expected_v, expected_grads = _run('reference', x, *call)
    assert torch.equal(out, expected) and torch.equal(v_final, expected_v)
    assert out.stride() == torch.empty_like(x).stride() and v_final.dtype == expected_v.dtype
    assume(all(grad.isfinite().all() for grad in expected_grads))  # over many steps they can outgrow float16
    for got, want in zip(grads, expected_grads, strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        tolerance = TOLERANCE[x.dtype if got.shape == x.shape else want.dtype]
        # A gradient that adds up many is as exact as the largest of them.
        scale = max(1.0, want.abs().max().item())
        torch.testing.assert_close(got / scale, want / scale, rtol=tolerance, atol=tolerance)


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch):
    monkeypatch.setattr(tiled, 'WIDTH', request.param)
    monkeypatch.setattr(compiled, 'WIDTH', request.param)


_quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_quick
@given(calls())
def test_tiled_equals_the_reference(width, call):
    _assert_equals_reference('tiled', *call)


@_quick
@given(calls(steps=range(17, 40)))
def test_long_sequences(call):
    _assert_equals_reference('tiled', *call)


needs_compiler = pytest.mark.skipif(not compiled.available(), reason='no C++ compiler')


@needs_compiler
@pytest.mark.parametrize('kind', COMPILED, ids=str)
def test_compiled_equals_the_reference(width, kind):
    (dtype, least), s = kind, COMPILED[kind]

    @settings(_quick, max_examples=50)
    @given(calls(st.just(s), (dtype,), range(least, 4 * least, least)))
    def check(call):
        _assert_equals_reference('compiled', *call)
    check()


@pytest.mark.parametrize('backend', ['reference', 'tiled', pytest.param('compiled', marks=needs_compiler), 'auto'])
def test_stateless_and_streaming(backend):
    """The same call twice gives the same; single steps with v threaded through give one call's result."""
    s, w = COMPILED[torch.float64, 1], torch.tensor(0.3)
    x = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5
    whole, v_whole = simulate(x, None, w, s, backend)
    again, v_again = simulate(x, None, w, s, backend)
    assert torch.equal(whole, again) and torch.equal(v_whole, v_again) and 0 < whole.mean() < 1
    v, outputs = None, []
    for x_t in x.split(1):
        out, v = simulate(x_t, v, w, s, backend)
        outputs.append(out)
    assert torch.equal(torch.cat(outputs), whole) and torch.equal(v, v_whole)


@pytest.fixture
def ran(monkeypatch):
    """The back ends that were run, in order, with nothing logged or compiled before."""
    names, module = [], backends._module

    def watched(name):
        names.append(name)
        return module(name)
    monkeypatch.setattr(backends, '_module', watched)
    monkeypatch.setattr(backends, '_compiler_works', True)
    backends._log_once.cache_clear()
    compiled._library.cache_clear()
    return names


def test_forced_by_context_and_by_argument(ran, monkeypatch):
    x = torch.ones(2, 3, requires_grad=True)
    with mmspike.neurons.backend('tiled'):
        out = lif(x)[0]
        with mmspike.neurons.backend('auto'):
            lif(x)
        lif(x, backend='reference')  # runs outside the operators
        LIF(backend='reference')(x)
    assert ran == ['tiled', 'tiled'] and backends._forced == 'auto'
    out.sum().backward()  # backward runs where forward ran, wherever it is called
    assert ran == ['tiled'] * 3
    with pytest.raises(KeyError), mmspike.neurons.backend('reference'):
        raise KeyError
    assert backends._forced == 'auto'


@pytest.mark.parametrize('size', [1, 2**8, 2**9])
@needs_compiler
def test_only_large_calls_compile_by_themselves(ran, monkeypatch, size):
    monkeypatch.setattr(backends, 'WORTH_COMPILING', 2**9)
    s = COMPILED[torch.float64, 1]
    simulate(torch.ones(1, size, dtype=torch.float64), None, torch.tensor(0.3), s)
    assert ran == ['compiled' if size == 2**9 else 'tiled']


def test_without_a_compiler_one_line_and_tiled(ran, monkeypatch, tmp_path, capfd, caplog):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    monkeypatch.setenv('MMSPIKE_CACHE', str(tmp_path))
    monkeypatch.setattr(backends, 'WORTH_COMPILING', 1)
    lines = []
    monkeypatch.setattr(backends, '_log', lambda message, level: lines.append((message, level)))
    x = torch.ones(2, 3)
    for _ in range(3):
        assert torch.equal(lif(x)[0], lif(x, backend='reference')[0])
    warnings = [message for message, level in lines if level == logging.WARNING]
    assert len(warnings) == 1 and 'no-such-compiler is not installed' in warnings[0] and "using 'tiled'" in warnings[0]
    with pytest.raises(compiled.CompilerError, match='no-such-compiler is not installed; CXX can name another'):
        lif(x, backend='compiled')


def test_without_triton_one_line_and_tiled(monkeypatch):
    def no_triton(name):
        raise ImportError('Triton 3.2 is too old')
    lines = []
    monkeypatch.setattr(backends, '_log', lambda message, level: lines.append(message))
    monkeypatch.setattr(backends, '_module', no_triton)
    backends._triton_works.cache_clear()
    on_gpu = SimpleNamespace(is_cuda=True, device=torch.device('cuda'), dtype=torch.bfloat16)
    assert [backends._automatic(on_gpu) for _ in range(2)] == ['tiled'] * 2
    backends._triton_works.cache_clear()
    assert lines == ["neurons on CUDA: no triton back end (Triton 3.2 is too old); using 'tiled', many times slower"]


def test_choice_is_logged_once(ran, monkeypatch):
    lines = []
    monkeypatch.setattr(backends, '_log', lambda message, level: lines.append(message))
    for _ in range(3):
        lif(torch.ones(2, 3), backend='tiled')
    assert lines == ["neurons on cpu: back end 'tiled'"]


def test_forced_by_environment():
    code = ('import torch; from mmspike.neurons import backends, lif; lif(torch.ones(2, 3, requires_grad=True));'
            'print(backends._forced)')
    for name, expected in (('reference', 'reference'), ('', 'auto')):
        done = subprocess.run([sys.executable, '-c', code], env={**os.environ, 'MMSPIKE_NEURON_BACKEND': name},
                              capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == expected
    done = subprocess.run([sys.executable, '-c', code], env={**os.environ, 'MMSPIKE_NEURON_BACKEND': 'tilde'},
                          capture_output=True, text=True, check=False)
    assert "MMSPIKE_NEURON_BACKEND='tilde' is not known. Did you mean 'tiled'?" in done.stderr


@pytest.mark.parametrize(('call', 'error', 'message'), [
    (lambda: lif(torch.ones(2, 3), backend='cupy'), ValueError, "backend='cupy' is not known. Known: auto, reference"),
    (lambda: LIF(backend='Triton'), ValueError, "backend='Triton' is not known. Did you mean 'triton'"),
    (lambda: backends.forward('compiled', torch.ones(2, 3, device='meta'), torch.ones(3), None, NeuronSettings('lif')),
     ValueError, "backend='compiled' serves the CPU only, but the input is on meta. Use 'triton' there"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_triton_on_float64_is_an_error():
    pytest.importorskip('triton')
    with pytest.raises(TypeError, match='triton back end: the input is torch.float64'):
        lif(torch.ones(2, 3, dtype=torch.float64), backend='triton')
