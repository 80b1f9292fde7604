"""The converter maps every published name, and refuses what is not ReSpike."""
import json

import pytest
import torch

from mmspike.convert import respike
from mmspike.registry import MODELS


@pytest.mark.parametrize(('name', 'depth', 'in_channels'), [('r50_s4_ds', 50, 2560), ('r18_s4_nods', 18, 1024)])
def test_every_name_and_shape(golden, name, depth, in_channels):
    published = json.loads((golden / f'units/respike_{name}_keys.json').read_text())
    with torch.device('meta'):
        converted = respike({key: torch.empty(shape) for key, shape in published['state_dict'].items()})
    model = MODELS.build(dict(
        type='ActionRecognizer',
        backbone=dict(type='ReSpike', ann=dict(type='mmpretrain.ResNet', depth=depth, out_indices=(0, 1, 2, 3)),
                      snn=dict(type='SpikingResNet'), fusion=dict(type='CrossAttentionFusion')),
        head=dict(type='ActionHead', num_classes=51, in_channels=in_channels)))
    assert {k: v.shape for k, v in converted.items()} == {k: v.shape for k, v in model.state_dict().items()}
    parameters = sum(p.numel() for p in model.parameters())
    assert parameters == {50: 44_580_339, 18: 30_081_523}[depth]  # the published counts


def test_data_parallel_prefix(golden):
    published = json.loads((golden / 'units/respike_r18_s4_nods_keys.json').read_text())['state_dict']
    with torch.device('meta'):
        plain = {key: torch.empty(shape) for key, shape in published.items()}
    assert list(respike({f'module.{key}': value for key, value in plain.items()})) == list(respike(plain))


@pytest.mark.parametrize(('names', 'message'), [
    (['backbone.ann.conv1.weight'], "'backbone.ann.conv1.weight' is no name of a ReSpike.*already converted"),
    (['fc.weight', 'fc.bias'], r'no weight of backbone.ann.\* among 2 names'),
])
def test_other_checkpoints_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        respike({name: torch.zeros(1) for name in names})
