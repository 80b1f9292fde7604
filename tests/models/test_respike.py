"""What ReSpike and its parts do besides being equal to the published networks."""
import copy

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmspike.registry import MODELS

ANN = dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16, out_indices=(0, 1, 2, 3))
SNN = dict(type='SpikingResNet', base_channels=16, stage_blocks=(1, 1, 1, 1))
FUSION = dict(type='CrossAttentionFusion', head_dim=16)


def build(in_channels=256, head=None, **backbone):
    backbone = {**dict(type='ReSpike', ann=ANN, snn=SNN, fusion=FUSION, stride=4), **backbone}
    return MODELS.build(dict(
        type='ActionRecognizer', backbone=backbone,
        head=dict(type='ActionHead', num_classes=5, in_channels=in_channels, **(head or {}))))


def samples(labels):
    return [ActionDataSample().set_gt_labels(label) for label in labels]


VARIANTS = dict(
    full=dict(),
    published_default=dict(fusion_pooling=(None, 1, 1, 1)),
    ann_only=dict(snn=None, fusion=None, in_channels=128),
    snn_only=dict(ann=None, fusion=None, in_channels=128),
    late_fusion=dict(fusion=None),
    resnet34=dict(ann=dict(ANN, depth=34)),
    another_ann=dict(ann=dict(type='mmpretrain.ResNeXt', depth=50, groups=2, width_per_group=4, stem_channels=16,
                              base_channels=16, out_indices=(0, 1, 2, 3)), in_channels=512 + 128),
    integrate_and_fire=dict(snn=dict(SNN, neuron=dict(type='IF'))),
    learnable_tau=dict(snn=dict(SNN, neuron=dict(type='ParametricLIF'))),
    spikingjelly=dict(snn=dict(SNN, neuron=dict(type='SpikingJellyNeuron', node='LIFNode'))),
    other_widths=dict(snn=dict(SNN, base_channels=32, stage_blocks=(1, 2, 1, 1)), in_channels=128 + 256),
)


@pytest.mark.parametrize('variant', VARIANTS)
def test_assembled_from_config(variant):
    torch.manual_seed(0)
    model = build(**VARIANTS[variant])
    clip = torch.randn(2, 8, 3, 64, 96)
    losses = model(clip, samples([0, 4]), mode='loss')
    losses['loss'].backward()
    assert losses['loss'].ndim == 0 and set(losses) == {'loss', 'top1_acc'}
    idle = [name for name, p in model.named_parameters() if p.grad is None]
    assert idle == []  # DDP need not look for unused parameters
    model.eval()
    with torch.no_grad():
        assert torch.equal(model(clip), model(clip)) and model(clip).shape == (2, 5)
    copy.deepcopy(model)  # after a training forward too: no neuron keeps a graph


@pytest.mark.parametrize(('frames', 'stride'), [(4, 2), (6, 3), (16, 8), (4, 4)])
def test_any_stride(frames, stride):
    assert build(stride=stride).eval()(torch.randn(1, frames, 3, 32, 32)).shape == (1, 5)


@pytest.mark.parametrize('size', [(48, 64), (112, 112)])
def test_illegal_size_names_legal_ones(size):
    with pytest.raises(ValueError, match=r'multiples of 32, got \[1, 8, 3, .*resize or crop to \d+, \d+, \.\.\.'):
        build()(torch.randn(1, 8, 3, *size))


def test_wrong_clip_length():
    with pytest.raises(ValueError, match=r'T=10 frames cannot be cut into groups of stride S=4.*Sample 8 frames'):
        build()(torch.randn(1, 10, 3, 32, 32))


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(ann=None, snn=None, fusion=None), 'ann and snn are both None'),
    (dict(ann=None), 'a fusion needs both branches'),
    (dict(fusion_pooling=(4, 2, 1)), r'fusion_pooling=\(4, 2, 1\). Give one entry per stage'),
])
def test_parts_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


def test_head_names_the_channels_it_got():
    with pytest.raises(ValueError, match='backbone gives 256 channels, in_channels is 99. Set model.head.in_channels'):
        build(in_channels=99)(torch.randn(1, 8, 3, 32, 32))


def test_prediction_averages_the_views_of_a_sample():
    torch.manual_seed(0)
    model = build().eval()
    model.max_test_clips = 4  # the six views go through the backbone in two parts
    views = torch.randn(2, 3, 8, 3, 32, 32)  # 2 samples, 3 views each
    with torch.no_grad():
        out = model(views.flatten(0, 1), samples([1, 2]), mode='predict')
        want = torch.stack([model(clips).softmax(-1).mean(0) for clips in views])
    torch.testing.assert_close(torch.stack([s.pred_scores.item for s in out]), want)
    assert [s.pred_labels.item.tolist() for s in out] == want.argmax(-1, keepdim=True).tolist()


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode is 'logits'; expected 'tensor', 'loss' or 'predict'"):
        build()(torch.randn(1, 8, 3, 32, 32), mode='logits')


def test_bf16_autocast_trains():
    model = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(torch.randn(2, 8, 3, 32, 32), samples([0, 1]), mode='loss')['loss']
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_loading_drops_the_dead_fusion_of_published_checkpoints():
    full, published = build(), build(fusion_pooling=(None, 1, 1, 1))
    published.load_state_dict(full.state_dict(), strict=True)
    assert not any(name.startswith('backbone.fusions.0.') for name in published.state_dict())


def test_training_from_scratch_takes_the_initialisation_of_the_backbone():
    torch.manual_seed(0)
    model = build(ann=dict(ANN, init_cfg=None))
    model.init_weights()
    weight = model.backbone.ann.layer4[0].conv1.weight  # Kaiming, normal, fan out
    assert weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
