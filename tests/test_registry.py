"""Our registries, beside those of other libraries. (test_architecture.py compares them with mmengine's.)"""
import pytest
import torch
from mmengine.registry import DefaultScope

from mmspike.registry import MODELS


@pytest.mark.parametrize('scope', ['mmengine', 'mmpretrain'])
def test_parts_are_built_in_our_scope_whatever_the_default_is(scope):
    with DefaultScope.overwrite_default_scope(scope):
        snn = MODELS.build(dict(type='SpikingResNet', base_channels=8, stage_blocks=(1, 1)))
    assert snn(torch.zeros(2, 1, 3, 16, 16))[-1].shape == (2, 1, 16, 2, 2)


def test_a_model_of_mmpretrain_takes_a_neuron_of_ours():
    from mmpretrain.registry import MODELS as theirs
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert type(theirs.build(dict(type='mmspike.LIF'))).__name__ == 'LIF'
