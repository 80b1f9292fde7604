import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import erf, expit

from mmspike.neurons import surrogates
from mmspike.neurons.surrogate import fire, get_surrogate

ALPHAS = (0.5, 1.0, 2.0, 4.0)


def _clipped_parabola(u, a):
    u = np.clip(u, -1 / a, 1 / a)
    return 0.5 + a * u - a**2 / 2 * u * abs(u)


# What each derivative is the derivative of, written down a second time and without torch.
PRIMITIVES = {
    'sigmoid': lambda u, a: expit(a * u),
    'atan': lambda u, a: np.arctan(math.pi / 2 * a * u) / math.pi + 0.5,
    'triangle': _clipped_parabola,
    'rectangle': lambda u, a: np.clip(a * u + 0.5, 0, 1),
    'erf': lambda u, a: (1 + erf(a * u)) / 2,
    'soft_sign': lambda u, a: (a * u / (1 + abs(a * u)) + 1) / 2,
    'super_spike': lambda u, a: a * u / (1 + abs(u)),
}


def _gradient(name, u, alpha):
    u = torch.as_tensor(u, dtype=torch.float64).requires_grad_()
    (grad,) = torch.autograd.grad(fire(u, name, alpha).sum(), u)
    return grad


def test_every_surrogate_has_a_primitive_in_this_test():
    assert surrogates.keys() == PRIMITIVES.keys()


@pytest.mark.parametrize('alpha', ALPHAS)
@pytest.mark.parametrize('name', PRIMITIVES)
def test_gradient_integrates_to_the_primitive(name, alpha):
    corners = [0.0, -1 / alpha, 1 / alpha, -0.5 / alpha, 0.5 / alpha]
    for low, high in ((-2.0, 0.3), (-0.7, 1.9), (0.05, 0.4)):
        points = [c for c in corners if low < c < high]
        integral, error = quad(lambda u: _gradient(name, u, alpha).item(), low, high, points=points or None)
        expected = PRIMITIVES[name](high, alpha) - PRIMITIVES[name](low, alpha)
        assert integral == pytest.approx(expected, abs=max(1e-9, 2 * error))


@pytest.mark.parametrize('name', PRIMITIVES)
def test_gradient_is_even_and_highest_at_the_threshold(name):
    u = torch.linspace(0, 3, 301, dtype=torch.float64)
    grad = _gradient(name, u, 2.0)
    torch.testing.assert_close(grad, _gradient(name, -u, 2.0), rtol=0, atol=1e-14)
    assert (grad.diff() <= 0).all() and grad[0] > 0


@pytest.mark.parametrize('name', PRIMITIVES)
def test_forward_is_the_step_and_equality_fires(name):
    u = torch.tensor([-1.0, -1e-30, 0.0, -0.0, 1e-30, 1.0])
    assert fire(u, name, 2.0).tolist() == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize('name', sorted(set(PRIMITIVES) - {'rectangle', 'triangle'}))
def test_second_derivative(name):
    u = torch.tensor([-0.9, -0.2, 0.1, 0.6], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda u: fire(u, name, 2.0), u)


@pytest.mark.parametrize(('ours', 'theirs'), [
    ('sigmoid', 'Sigmoid'), ('atan', 'ATan'), ('triangle', 'PiecewiseQuadratic'), ('rectangle', 'Rect'),
    ('erf', 'Erf'), ('soft_sign', 'SoftSign'), ('super_spike', 'SuperSpike')])
@pytest.mark.parametrize('alpha', ALPHAS)
def test_equals_spikingjelly(ours, theirs, alpha):
    library = pytest.importorskip('spikingjelly.activation_based.surrogate')
    u = torch.linspace(-3, 3, 601, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(getattr(library, theirs)(alpha=alpha)(u).sum(), u)
    torch.testing.assert_close(_gradient(ours, u.detach(), alpha), expected, rtol=0, atol=1e-12)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="surrogate='ATan' is not known. Did you mean 'atan'.*Known: sigmoid, atan"):
        get_surrogate('ATan')
    with pytest.raises(ValueError, match='is not known. Known: sigmoid'):
        get_surrogate(None)
