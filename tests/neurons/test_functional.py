import pytest
import torch

from mmspike.neurons import if_, leaky_integrator, lif, plif, surrogates


def _input(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) + 0.3).mul(1.5).to(dtype)


KINDS = {
    'lif': lif,
    'lif soft': lambda x, v=None: lif(x, v, v_reset=None, decay_input=False, tau=1.5),
    'lif raised': lambda x, v=None: lif(x, v, v_reset=-0.2, v_threshold=0.5, detach_reset=True),
    'if': if_,
    'plif': lambda x, v=None: plif(x, torch.tensor([0.3, -0.2, 1.0], dtype=x.dtype), v),
    'leaky': leaky_integrator,
}


def test_one_step_by_hand():
    x = torch.tensor([[1.0, 2.0, 2.5, -1.0]])
    spikes, v = lif(x, tau=2.0)
    assert spikes.tolist() == [[0, 1, 1, 0]]  # h = x / 2; exactly 1 fires
    assert v.tolist() == [0.5, 0, 0, -0.5]
    spikes, v = lif(x, 0.5, tau=2.0, v_reset=None, decay_input=False)
    assert spikes.tolist() == [[1, 1, 1, 0]]  # h = 0.25 + x
    assert v.tolist() == [0.25, 1.25, 1.75, -0.75]
    spikes, v = if_(x, v_reset=-1.0)
    assert spikes.tolist() == [[0, 1, 1, 0]]  # h = x - 1: starts from v_reset
    assert v.tolist() == [0, -1, -1, -2]
    v_all, v = leaky_integrator(torch.cat([x, x]), tau=2.0)
    assert v_all.tolist() == [[0.5, 1, 1.25, -0.5], [0.75, 1.5, 1.875, -0.75]] and torch.equal(v_all[-1], v)


@pytest.mark.parametrize('kind', KINDS)
def test_streaming_equals_one_call(kind):
    x = _input(7, 2, 3, 4)
    spikes, v = KINDS[kind](x)
    state, steps = None, []
    for x_t in x.split([1, 2, 1, 3]):
        s, state = KINDS[kind](x_t, state)
        steps.append(s)
    assert torch.equal(torch.cat(steps), spikes) and torch.equal(state, v)
    assert spikes.shape == x.shape and v.shape == x.shape[1:]
    if kind != 'leaky':
        assert set(spikes.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_dtypes(kind, dtype):
    x = _input(4, 2, 3, 4, dtype=dtype).requires_grad_()
    spikes, v = KINDS[kind](x)
    assert spikes.dtype == dtype
    assert v.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    spikes.sum().backward()
    assert x.grad.dtype == dtype and x.grad.isfinite().all()


def test_state_of_half_precision_input_is_single_precision():
    x = _input(16, 50, dtype=torch.bfloat16)
    spikes, v = lif(x)
    expected, expected_v = lif(x.float())
    assert torch.equal(spikes.float(), expected) and torch.equal(v, expected_v)


@pytest.mark.parametrize('v', [0.375, torch.tensor(0.375), torch.full((3, 1), 0.375), torch.full((2, 3, 4), 0.375)])
def test_initial_membrane_broadcasts(v):
    x = _input(3, 2, 3, 4)
    v = v.double() if isinstance(v, torch.Tensor) else v
    spikes, final = lif(x, v)
    expected, expected_final = lif(x, torch.full((2, 3, 4), 0.375, dtype=torch.float64))
    assert torch.equal(spikes, expected) and torch.equal(final, expected_final)


def test_rest_is_v_reset():
    x = torch.zeros(1, 3)
    assert lif(x, v_reset=0.25)[1].tolist() == [0.25] * 3
    assert lif(x, 0.5, v_reset=0.25)[1].tolist() == [0.375] * 3  # leaks half way
    assert if_(x, v_reset=0.25)[1].tolist() == [0.25] * 3
    assert lif(x, v_reset=None)[1].tolist() == [0.0] * 3


@pytest.mark.parametrize('decay_input', [True, False])
def test_gradients_of_the_smooth_parts(decay_input):
    """Far below the threshold nothing fires and far above it everything does: no jump within reach."""
    x, v = _input(4, 2, 3).requires_grad_(), _input(2, 3, seed=1).requires_grad_()
    w = torch.tensor([0.2, -0.4, 0.9], dtype=torch.float64, requires_grad=True)
    gradcheck = torch.autograd.gradcheck
    assert gradcheck(lambda x, v: leaky_integrator(x, v, decay_input=decay_input), (x, v))
    high = dict(v_threshold=50.0, v_reset=None, surrogate='rectangle', decay_input=decay_input)
    assert gradcheck(lambda x, v: lif(x, v, tau=1.7, **high)[1], (x, v))
    assert gradcheck(lambda x, w, v: plif(x, w, v, **high)[1], (x, w, v))
    assert gradcheck(lambda x, w, v: plif(x, w, v, **high)[1], (x, w[0].detach().requires_grad_(), v))
    low = dict(v_threshold=-50.0, v_reset=None, surrogate='rectangle', decay_input=decay_input)
    assert gradcheck(lambda x, v: lif(x, v, tau=1.7, **low)[1], (x, v))


def test_gradient_stops_at_a_detached_reset():
    """One spike, then one step: by hand, with dS/du = 1 at the threshold (triangle, alpha = 1)."""
    for detach, expected in ((True, 0.0), (False, -0.5)):
        x = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
        _, v = lif(x, tau=2.0, detach_reset=detach, surrogate='triangle', alpha=1.0)
        # h1 = x1/2 = 1, s1 = 1, v1 = (1 - s1) h1: dv1/dx1 = (1 - s1)/2 - [not detached] h1 dS/2 = 0 or -1/2; v2 = v1/2
        v.backward()
        assert x.grad.tolist() == [expected / 2, 0.5]


def test_surrogate_reaches_the_gradient():
    x = _input(4, 20)
    grads = []
    for name in surrogates:
        x = x.detach().requires_grad_()
        lif(x, surrogate=name)[0].sum().backward()
        grads.append(x.grad)
    assert all(g.abs().sum() > 0 for g in grads)
    assert all(not torch.equal(a, b) for i, a in enumerate(grads) for b in grads[:i])


@pytest.mark.parametrize('kind', sorted(set(KINDS) - {'leaky'}))
def test_double_backward(kind):
    x = _input(3, 2, 3).requires_grad_()
    (grad,) = torch.autograd.grad(KINDS[kind](x)[0].pow(2).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(grad.pow(2).sum(), x)
    assert second.isfinite().all() and second.abs().sum() > 0


def test_per_channel_decay_is_one_layer_per_channel():
    x, w = _input(5, 2, 3, 4), torch.tensor([0.2, -0.4, 0.9], dtype=torch.float64)
    spikes, v = plif(x, w)
    for c in range(3):
        one, one_v = plif(x[:, :, c], w[c])
        assert torch.equal(spikes[:, :, c], one) and torch.equal(v[:, c], one_v)
    expected, _ = lif(x, tau=4.0)
    assert torch.equal(plif(x, -torch.tensor(3.0).log())[0], expected)


def test_compiles_without_a_graph_break():
    x = _input(4, 2, 3, dtype=torch.float32)
    compiled = torch.compile(lambda x: lif(x, detach_reset=True), fullgraph=True, backend='eager')
    assert torch.equal(compiled(x)[0], lif(x)[0])


@pytest.mark.parametrize(('call', 'error', 'message'), [
    (lambda: lif(torch.ones(2, 3, dtype=torch.uint8)), TypeError, r'lif: the input has dtype torch.uint8.*x.float'),
    (lambda: lif(torch.ones(0, 3)), ValueError, r'lif: the input has shape \(0, 3\).*at least one time step'),
    (lambda: if_(torch.tensor(1.0)), ValueError, r'if: the input has shape \(\), but \[T, ...\]'),
    (lambda: lif(torch.ones(2, 3), torch.ones(4)), ValueError, r'lif: v has shape \(4,\).*single time step, \(3,\)'),
    (lambda: plif(torch.ones(2, 3, 4), torch.ones(3)), ValueError, r'plif: w has shape \(3,\).*\(2, 3, 4\); w must be'),
    (lambda: lif(torch.ones(2, 3), tau=0.5), ValueError, 'tau=0.5 must be at least 1'),
    (lambda: lif(torch.ones(2, 3), alpha=0.0), ValueError, 'alpha=0.0 must be positive'),
    (lambda: lif(torch.ones(2, 3), surrogate='sigmod'), ValueError, "Did you mean 'sigmoid'"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
