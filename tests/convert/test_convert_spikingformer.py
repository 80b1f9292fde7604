"""The converter maps every published name, joins q, k and v, drops what is never called, and refuses other models."""
import pytest
import torch

from mmspike.convert import spikingformer
from mmspike.registry import MODELS


def test_every_name_and_shape(golden):
    case = torch.load(golden / 'cases/spikingformer_imagenet_d2_k11.pt', weights_only=True)
    with torch.device('meta'):
        names = {f'module.{name}': torch.empty(shape) for name, shape, _ in case['keys']}
        converted = spikingformer(names)
        model = MODELS.build(dict(
            type='AttributeRecognizer', head=dict(type='AttributeHead', num_attributes=11, in_channels=96),
            backbone=dict(type='Spikingformer', arch=dict(embed_dims=96, depth=2, num_heads=6), num_steps=3)))
    assert {k: v.shape for k, v in converted.items()} == {k: v.shape for k, v in model.state_dict().items()}


def test_q_k_and_v_are_stacked_in_this_order():
    names = {f'block.0.attn.{letter}_conv.weight': torch.full((2, 2, 1), float(i)) for i, letter in enumerate('kvq')}
    others = dict.fromkeys(('patch_embed.proj_conv.weight', 'head.bias'), torch.zeros(1))
    joined = spikingformer({**names, **others})['backbone.blocks.0.attn.qkv.weight']
    assert joined.tolist() == [[2., 2.]] * 2 + [[0., 0.]] * 2 + [[1., 1.]] * 2


@pytest.mark.parametrize(('names', 'message'), [
    (['backbone.tokenizer.convs.0.weight'], "'backbone.tokenizer.convs.0.weight' is no name.*already conv"),
    (['head.weight', 'head.bias'], r'no weight of backbone.tokenizer.\* among 2 names'),
])
def test_other_checkpoints_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        spikingformer({name: torch.zeros(1) for name in names})
