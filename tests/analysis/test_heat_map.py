"""Maps of activity: the last layer with positions, from spikes or from magnitudes."""
import pytest
import torch
from torch import nn

from mmspike.analysis import HeatMapRecorder
from mmspike.neurons import LIF, LeakyIntegrator


class _Backbone(nn.Module):
    """Maps [T, B, C, h, w], then tokens [T, B, N, D], then neurons without positions."""

    def __init__(self, grid=(4, 2), tokens=True):
        super().__init__()
        self.grid, self.tokens = grid, tokens
        self.first, self.last, self.pooled, self.read_out = LIF(tau=1.01), LIF(tau=1.01), LIF(), LeakyIntegrator()

    def forward(self, x):
        maps = self.first(nn.functional.adaptive_avg_pool2d(x, self.grid).expand(3, *x.shape[:2], *self.grid))
        self.seen = maps
        if self.tokens:
            self.seen = maps = self.last(maps.flatten(3).transpose(2, 3) * 2)  # [T, B, N, D]
        self.pooled(maps.flatten(2))
        self.read_out(maps)
        return (maps.mean(0),)


class _Model(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return self.backbone(x)


def _images(batch=2, size=(64, 32), seed=0):
    return 2.5 * torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed))


def test_the_share_of_neurons_that_fire_in_the_last_layer_of_tokens():
    model = _Model(_Backbone())
    with HeatMapRecorder(model) as recorder:
        model(_images())
    expected = model.backbone.seen.mean((0, 3)).unflatten(1, (4, 2))
    torch.testing.assert_close(recorder.maps, expected)
    assert recorder.name == 'share of neurons that fire in backbone.last'
    assert 0 < recorder.maps.mean() <= 1
    heat = recorder.of(1)
    assert torch.equal(torch.from_numpy(heat.values), recorder.maps[1]) and heat.name == recorder.name
    assert (heat.low, heat.high) == (0, pytest.approx(max(float(recorder.maps[1].max()), .05)))
    assert not any(module._forward_hooks for module in model.modules())


def test_tokens_that_make_no_grid_of_the_image_are_passed_over():
    model = _Model(_Backbone())
    with HeatMapRecorder(model) as recorder:
        model(_images(size=(64, 64)))  # 8 tokens are no square
    assert recorder.name.endswith('backbone.first') and recorder.maps.shape == (2, 4, 2)


def test_of_several_forwards_the_last_is_kept():
    model = _Model(_Backbone(tokens=False))
    with HeatMapRecorder(model) as recorder:
        assert recorder.maps is None and recorder.of(0) is None
        for batch in (1, 3):
            model(_images(batch, seed=batch))
    torch.testing.assert_close(recorder.maps, model.backbone.seen.mean((0, 2)))


@pytest.mark.parametrize('shape', [(2, 5, 4, 2), (2, 8, 5), (2, 9, 5)], ids=['map', 'tokens', 'class token'])
def test_the_magnitude_of_an_ann_map(shape):
    features = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    backbone = nn.Identity()
    backbone.forward = lambda x: (torch.zeros(2, 1, 1, 1), features)
    model = _Model(backbone)
    with HeatMapRecorder(model) as recorder:
        model(_images())
    expected = features.abs().mean(1) if len(shape) == 4 else features[:, -8:].abs().mean(2).unflatten(1, (4, 2))
    torch.testing.assert_close(recorder.maps, expected)
    assert 'magnitude' in recorder.name and recorder.of(0).low == expected[0].min()


def test_no_map_where_nothing_has_positions():
    model = _Model(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    with HeatMapRecorder(model) as recorder:
        model(_images())
    assert recorder.maps is None and recorder.of(0) is None
