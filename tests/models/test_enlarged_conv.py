"""The convolution of an enlarged map on the small map is the plain one: values, gradients, borders, after changes."""
import copy

import pytest
import torch
import torch.nn.functional as F

from mmspike.models.layers.enlarged_conv import EnlargedConv2d
from mmspike.utils.fold_batchnorm import fold_batchnorm


def plain(conv, x):
    return F.conv2d(F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False), conv.weight, conv.bias,
                    padding=2)


@pytest.mark.parametrize('size', [(1, 1), (1, 4), (2, 3), (7, 5)])
def test_values_and_gradients(size):
    torch.manual_seed(0)
    conv = EnlargedConv2d(3, 4).double()
    x = torch.randint(0, 3, (2, 3, *size)).double().requires_grad_()
    grad = torch.randn(2, 4, 2 * size[0], 2 * size[1], dtype=torch.float64)
    results = []
    for run in (lambda: conv(x), lambda: conv(x, small_numbers=True), lambda: plain(conv, x)):
        y = run()
        results.append((y, *torch.autograd.grad(y, (x, conv.weight), grad)))
    for other in results[:2]:
        for a, b in zip(other, results[2], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_kernels_that_are_kept_follow_the_weight():
    conv, x = EnlargedConv2d(2, 3).double(), torch.randn(1, 2, 4, 4, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(conv(x), plain(conv, x))
        conv.weight.mul_(2)
        torch.testing.assert_close(conv(x), plain(conv, x))
        conv.weight.data.mul_(2)  # which no version counter sees
        torch.testing.assert_close(conv(x), plain(conv, x))
        twin = copy.deepcopy(conv)
        twin.load_state_dict({'weight': torch.randn_like(conv.weight)})
        torch.testing.assert_close(twin(x), plain(twin, x))
        torch.testing.assert_close(conv.float()(x.float()), plain(conv, x.float()), rtol=1e-4, atol=1e-5)


def test_a_norm_can_be_folded_into_it():
    model = torch.nn.Sequential(EnlargedConv2d(2, 3), torch.nn.BatchNorm2d(3)).double().eval()
    torch.nn.init.uniform_(model[1].weight, 1, 2)
    torch.nn.init.normal_(model[1].bias)
    x = torch.randn(2, 2, 4, 6, dtype=torch.float64)
    folded = fold_batchnorm(model, x)
    assert isinstance(folded[1], torch.nn.Identity) and folded[0].bias is not None
    with torch.no_grad():
        torch.testing.assert_close(folded(x), model(x), rtol=1e-10, atol=1e-12)
