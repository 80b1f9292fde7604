"""Where one attribute is seen."""
import numpy as np
import pytest
import torch
from torch import nn

from mmspike.analysis import AttributeCam, response_box
from mmspike.registry import MODELS

GROUPS = dict(head=dict(region=(0, 0.5), scale=1, attributes=[0]), legs=dict(region=(0.5, 1), scale=2, attributes=[1]))
HEAD = dict(type='SSPNetHead', num_attributes=2, in_channels=4, levels=(1,), groups=GROUPS)


class Given(nn.Module):
    """A model whose pyramid is given."""

    def __init__(self, head, maps):
        super().__init__()
        self.head, self.maps = head, maps

    def extract_feat(self, inputs):
        return self.maps


@pytest.fixture
def model():
    """Attribute 0 is channel 1 of P1, attribute 1 channel 2 of P2; each shows at one place inside and one outside."""
    head = MODELS.build(HEAD).eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.prior.project.weight[range(4), range(4)] = 1
        head.fc.weight[0, 1] = head.fc.weight[1, 2] = 1
    maps = [torch.zeros(1, 4, 16, 8), torch.zeros(1, 4, 8, 4), torch.zeros(1, 4, 4, 2)]
    maps[0][0, 1, 2:4, 5] = maps[0][0, 1, 12, 1] = 5
    maps[1][0, 2, 6, 0] = maps[1][0, 2, 1, 3] = 5
    return Given(head, maps)


@pytest.mark.parametrize(('attribute', 'row', 'column', 'cell'), [(0, 3, 5, 4), (1, 6, 0, 8)])
def test_response_is_where_the_attribute_is_read_from(model, attribute, row, column, cell):
    response = AttributeCam(model, smoothing=0)(torch.zeros(1, 3, 64, 32), [attribute])[0, 0].numpy()
    assert response.shape == (64, 32) and response.min() == 0
    y, x = np.unravel_index(response.argmax(), response.shape)
    assert abs(y // cell - row) <= 1 and x // cell == column
    rows = slice(0, 28) if attribute else slice(36, 64)  # half a cell on, for the stretching
    assert not response[rows].any()
    box = response_box(response)
    assert box[0] <= x < box[2] and box[1] <= y < box[3] and (box[2:] - box[:2]).max() <= 3 * cell


def test_a_region_that_is_less_than_a_row(model):
    groups = dict(GROUPS, legs=dict(region=(0.95, 1), scale=2, attributes=[1]))
    head = MODELS.build(dict(HEAD, groups=groups)).eval()
    head.load_state_dict(model.head.state_dict())
    model.maps[1][0, 2, 7, 2] = 5
    response = AttributeCam(Given(head, model.maps), smoothing=0)(torch.zeros(1, 3, 64, 32), [1])[0, 0]
    assert divmod(int(response.argmax()), 32)[0] >= 56 and not response[:52].any()


def test_smoothing_keeps_the_place(model):
    sharp, soft = (AttributeCam(model, smoothing=sigma)(torch.zeros(1, 3, 64, 32), [0])[0, 0] for sigma in (0, 1.5))
    assert (soft > 0).sum() > 2 * (sharp > 0).sum()
    assert abs(int(soft.argmax()) // 32 - int(sharp.argmax()) // 32) <= 6


def test_scales_are_added_with_their_weights(model):
    adaptive = MODELS.build(dict(HEAD, selection='adaptive')).eval()
    adaptive.load_state_dict(model.head.state_dict(), strict=False)
    for chosen, other in ((0, 2), (2, 0)):
        with torch.no_grad():
            adaptive.selection.logits.zero_()[0, chosen] = 100
        sources = adaptive.sources_of(0)
        assert [region.level for region, _ in sources] == [0, 1, 2]
        assert sources[chosen][1] == pytest.approx(1) and sources[other][1] == pytest.approx(0)
    found = AttributeCam(Given(adaptive, model.maps))(torch.zeros(1, 3, 64, 32), [0, 1])
    assert found.shape == (1, 2, 64, 32) and found.isfinite().all()


def test_any_other_head_is_looked_at_in_its_last_map():
    head = MODELS.build(dict(type='AttributeHead', num_attributes=1, in_channels=2))
    with torch.no_grad():
        head.fc.weight.copy_(torch.tensor([[1., -1.]]))
    last = torch.zeros(1, 2, 4, 4)
    last[0, 0, 1, 2] = last[0, 1, 3, 0] = 3
    response = AttributeCam(Given(head, [torch.zeros(1, 1, 8, 8), last]), smoothing=0)(torch.zeros(1, 3, 32, 32), [0])
    y, x = divmod(int(response.argmax()), 32)
    assert (y // 8, x // 8) == (1, 2)


def test_box_of_the_strongest_part():
    response = np.zeros((10, 8), np.float32)
    response[2:4, 1:3], response[7:9, 4:8] = 1, 0.8
    assert response_box(response).tolist() == [1, 2, 3, 4]
    assert response_box(response, threshold=1).tolist() == [1, 2, 3, 4]
    assert response_box(np.zeros((4, 4))) is None


def test_the_model_is_not_changed(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    AttributeCam(model)(torch.zeros(1, 3, 64, 32), [0])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_head_without_logits_is_an_error():
    with pytest.raises(ValueError, match='Identity gives no logits of the attributes, .*attribute_demo.py --show seq'):
        AttributeCam(Given(nn.Identity(), []))
