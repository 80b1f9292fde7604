"""The attribute recogniser, its heads and its loss, besides being equal to the published ones."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmpretrain.structures import DataSample

from mmspike.models import WeightedBCELoss
from mmspike.registry import MODELS
from mmspike.utils.text_embeddings import TextEmbeddings

UNWEIGHTED = dict(type='WeightedBCELoss', weighted=False)
VIT = dict(type='mmpretrain.VisionTransformer', img_size=(64, 32), patch_size=16, out_type='raw', final_norm=False,
           arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32))
RESNET = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
SPIKINGFORMER = dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2)


def build(backbone, head, **parts):
    return MODELS.build(dict(type='AttributeRecognizer', backbone=backbone, head=head, **parts))


def attribute_head(in_channels, **options):
    return dict(dict(type='AttributeHead', num_attributes=5, in_channels=in_channels, loss=UNWEIGHTED), **options)


def vtb_head(**options):
    return dict(dict(type='VTBHead', num_attributes=5, in_channels=16, num_heads=2, text_channels=12, loss=UNWEIGHTED),
                **options)


def samples(*labels):
    return [DataSample().set_gt_score(torch.tensor(row)) for row in labels or ([1.0, 0, -1, 0, 1], [0.0, 0, 1, 1, -1])]


MODELS_OF_ALL_KINDS = dict(
    spikingformer=(SPIKINGFORMER, attribute_head(16)),
    resnet=(RESNET, attribute_head(64, dropout=0.1)),
    resnet_with_neck=(RESNET, attribute_head(64), dict(type='mmpretrain.GlobalAveragePooling')),
    vtb=(VIT, vtb_head()),
)


@pytest.mark.parametrize('kind', MODELS_OF_ALL_KINDS)
def test_logits_loss_and_predictions(kind):
    torch.manual_seed(0)
    backbone, head, *neck = MODELS_OF_ALL_KINDS[kind]
    model = build(backbone, head, **(dict(neck=neck[0]) if neck else {}))
    images, labels = torch.randn(2, 3, 64, 32), samples()
    losses = model(images, labels, mode='loss')
    losses['loss'].backward()
    assert set(losses) == {'loss'} and losses['loss'].ndim == 0
    assert [name for name, p in model.named_parameters() if p.grad is None] == []  # nothing unused: plain DDP
    model.eval()
    with torch.no_grad():
        logits, predicted = model(images), model(images, labels, mode='predict')
    assert logits.shape == (2, 5)
    torch.testing.assert_close(torch.stack([sample.pred_score for sample in predicted]), logits.sigmoid())
    with pytest.raises(ValueError, match="mode is 'logits'; expected 'tensor', 'loss' or 'predict'"):
        model(images, mode='logits')


def test_bf16_autocast_trains():
    model = build(SPIKINGFORMER, attribute_head(16))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(torch.randn(2, 3, 32, 32), samples(), mode='loss')['loss']
    loss.backward()
    assert loss.dtype == torch.float32 and all(p.grad.isfinite().all() for p in model.parameters())


def test_channels_that_differ_are_named():
    with pytest.raises(ValueError, match=r'\[1, 64, 2, 1\], so C=64; in_channels is 99. Set model.head.in_channels=64'):
        build(RESNET, attribute_head(99))(torch.randn(1, 3, 64, 32))


def test_tokens_are_no_map():
    head = MODELS.build(attribute_head(8))
    with pytest.raises(ValueError, match=r"is \[2, 8, 16\], expected \[B, C, h, w\].* out_type='featmap'"):
        head((torch.randn(2, 8, 16),))  # 8 tokens of width 16, whose count happens to be in_channels


def test_another_number_of_labels_is_named():
    images = torch.randn(2, 3, 64, 32)
    model = build(RESNET, attribute_head(64))
    with pytest.raises(ValueError, match='3 labels per image, 5 attributes. Set model.head.num_attributes=3'):
        model(images[:1], samples([1.0, 0, 1]), mode='loss')
    with pytest.raises(ValueError, match='3 labels per image, 5 attributes'):
        model(images, samples([1.0, 0, 1, 0, 1], [1.0, 0, 1]), mode='loss')
    with pytest.raises(ValueError, match='a sample has no gt_score. Train on a data set with labels'):
        model(images[:1], [DataSample()], mode='loss')


@given(st.lists(st.tuples(st.floats(-9, 9), st.sampled_from([0.0, 1.0, -1.0]), st.floats(0, 1)), min_size=1,
                max_size=6), st.floats(0, 0.4))
def test_weighted_cross_entropy_by_hand(attributes, smoothing):
    logits, labels, ratios = zip(*attributes, strict=True)
    want = 0
    for logit, label, ratio in attributes:
        if label >= 0:
            target = label * (1 - smoothing) + (1 - label) * smoothing
            p = 1 / (1 + math.exp(-logit))
            weight = math.exp(1 - ratio) if label else math.exp(ratio)
            want -= weight * (target * math.log(p) + (1 - target) * math.log(1 - p))
    loss = WeightedBCELoss(ratios, label_smoothing=smoothing)
    logits, labels = torch.tensor([logits], dtype=torch.float64), torch.tensor([labels])
    assert float(loss(logits, labels)) == pytest.approx(want, rel=1e-5, abs=1e-9)
    assert float(loss(logits.repeat(3, 1), labels.repeat(3, 1))) == pytest.approx(want, rel=1e-5, abs=1e-9)  # a mean


def test_unknown_labels_have_no_gradient():
    logits = torch.randn(2, 3, requires_grad=True)
    WeightedBCELoss([0.2, 0.5, 0.9])(logits, torch.tensor([[1, -1, 0], [-1, 2, 1]])).backward()
    assert (logits.grad == 0).tolist() == [[False, True, False], [True, True, False]]


def test_the_ratios_are_no_part_of_checkpoints():
    model = build(RESNET, attribute_head(64, loss=dict(type='WeightedBCELoss', positive_ratio=[0.1] * 5)))
    assert not any('ratio' in name for name in model.state_dict())
    assert not model.head.loss_module.needs_positive_ratio


@pytest.mark.parametrize(('make', 'message'), [
    (lambda: WeightedBCELoss()(torch.zeros(1, 2), torch.zeros(1, 2)),
     'ratios of positive labels are not known. Keep PositiveRatioHook among the hooks, set loss.positive_ratio'),
    (lambda: WeightedBCELoss([0.1])(torch.zeros(1, 2), torch.zeros(1, 2)), '1 ratios of positive labels for 2 attrib'),
    (lambda: WeightedBCELoss([0.1, 1.2]), 'expected one number from 0 to 1 per attribute'),
    (lambda: WeightedBCELoss([0.1, float('nan')]), 'expected one number from 0 to 1 per attribute'),
    (lambda: WeightedBCELoss(label_smoothing=0.5), 'label_smoothing=0.5; expected 0 or more, below 0.5'),
])
def test_loss_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def sentences(tmp_path, count=5):
    names = [f'attribute {i}' for i in range(count)]
    vectors = np.random.default_rng(0).normal(size=(count, 7)).astype(np.float32)
    TextEmbeddings(names, names, vectors, 'test').write(tmp_path / 'text.npz')
    return tmp_path / 'text.npz', vectors


def test_sentences_come_from_the_file_and_stay_out_of_checkpoints(tmp_path):
    file, vectors = sentences(tmp_path)
    model = build(VIT, vtb_head(text_embeddings=str(file)))
    assert np.array_equal(model.head.text.numpy(), vectors) and not model.head.text.requires_grad
    assert model.head.attributes[3] == 'attribute 3'
    assert 'head.text' not in model.state_dict() and model.head.word_embed.in_features == 7
    assert 'head.text' in build(VIT, vtb_head()).state_dict()  # learned ones are weights


def test_each_attribute_is_answered_by_its_own_sentence(tmp_path):
    torch.manual_seed(0)
    file, _ = sentences(tmp_path)
    head = build(VIT, vtb_head(text_embeddings=str(file))).head.eval()
    tokens = (torch.randn(2, 9, 16),)
    before = head(tokens)
    with torch.no_grad():
        head.fc.weight[2] += 1
    changed = (head(tokens) != before).any(0)
    assert changed.tolist() == [False, False, True, False, False]


def test_vtb_takes_any_size_of_image():
    assert build(VIT, vtb_head()).eval()(torch.randn(1, 3, 96, 48)).shape == (1, 5)


def test_sentences_of_another_data_set_are_refused(tmp_path):
    file, _ = sentences(tmp_path, count=3)
    with pytest.raises(ValueError, match='text.npz: 3 sentences for 5 attributes. Write the file from the annotation'):
        build(VIT, vtb_head(text_embeddings=str(file)))


@pytest.mark.parametrize(('backbone', 'head'), [
    (dict(VIT, out_type='featmap'), vtb_head()), (VIT, vtb_head(in_channels=32))])
def test_vtb_names_the_tokens_it_expects(backbone, head):
    with pytest.raises(ValueError, match=r'expected tokens \[B, 1 \+ N, \d+\]. Set backbone.out_type'):
        build(backbone, head)(torch.randn(1, 3, 64, 32))
