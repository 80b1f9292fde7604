"""SSPNet besides being equal to the published one: any size, any groups, learned scales, keypoints, what is refused."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine import Config
from mmpretrain.structures import DataSample

from mmspike.models.layers.prior_location import PriorLocation, Region
from mmspike.models.layers.pyramid_pooling import PyramidPooling
from mmspike.models.layers.scale_selection import ScaleSelection
from mmspike.models.necks.build import map_channels
from mmspike.registry import MODELS
from mmspike.structures.attribute_groups import GroupError, Place

UNWEIGHTED = dict(type='WeightedBCELoss', weighted=False)
RESNET = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, out_indices=(0, 1, 2, 3))
GROUPS = dict(head=dict(region=(0, 0.375), scale=1, attributes=[0, 3], keypoints=[0]),
              legs=dict(region=(0.5, 1), scale=2, attributes=[1], keypoints=[1, 2]),
              all=dict(scale=3, attributes=[2, 4], keypoints=[0, 1, 2]))
META = dict(dataset='toy', groups=['head', 'legs', 'all', 'head', 'all'],
            group_places={name: {key: value for key, value in group.items() if key != 'attributes'}
                          for name, group in GROUPS.items()})


def build(backbone=RESNET, neck=None, **head):
    torch.manual_seed(0)
    head = dict(dict(type='SSPNetHead', num_attributes=5, in_channels=12, groups=GROUPS, loss=UNWEIGHTED), **head)
    model = MODELS.build(dict(type='AttributeRecognizer', backbone=backbone,
                              neck=dict(dict(type='SSPNetNeck', out_channels=12), **neck or {}), head=head))
    model.init_weights()
    return model


def samples(count=2, keypoints=None):
    out = [DataSample(metainfo=dict(img_shape=(64, 32))).set_gt_score(torch.tensor([1., 0, 0, 1, 0]))
           for _ in range(count)]
    for sample in out if keypoints is not None else ():
        sample.set_field(torch.tensor(keypoints, dtype=torch.float32), 'keypoints')
    return out


BACKBONES = dict(
    resnet=RESNET,
    resnext=dict(type='mmpretrain.ResNeXt', depth=50, groups=4, width_per_group=4, out_indices=(0, 1, 2, 3)),
    swin=dict(type='mmpretrain.SwinTransformer', img_size=64, window_size=2, pad_small_map=True,
              arch=dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]), out_indices=(0, 1, 2, 3)),
    spikingformer=dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2,
                       out_indices=(1, 2, 3, 4)))


@pytest.mark.parametrize('selection', ['fixed', 'adaptive'])
@pytest.mark.parametrize('kind', BACKBONES)
def test_logits_loss_and_predictions_on_any_backbone(kind, selection):
    model = build(BACKBONES[kind], selection=selection)
    images = torch.randn(2, 3, 64, 32)
    losses = model(images, samples(), mode='loss')
    assert set(losses) == {'loss', 'loss_scales'} if selection == 'adaptive' else {'loss'}
    sum(losses.values()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    model.eval()
    with torch.no_grad():
        logits, predicted = model(images), model(images, samples(), mode='predict')
    assert logits.shape == (2, 5)
    torch.testing.assert_close(torch.stack([sample.pred_score for sample in predicted]), logits.sigmoid())


@pytest.mark.parametrize('size', [(96, 64), (32, 32), (224, 96), (128, 80)])
def test_other_sizes(size):
    model = build().eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, *size)).isfinite().all()


def test_attributes_see_their_own_rows_only():
    """What changes below the head changes no attribute of the head."""
    head = build().eval().head
    maps = [torch.randn(1, 12, 64 // 2**i, 32 // 2**i) for i in range(4)]
    changed = [x.clone() for x in maps]
    changed[0][:, :, 24:] += 1
    with torch.no_grad():
        assert torch.equal(head(maps), head(changed))
        changed[0][:, :, 20] += 1
        moved = (head(maps) - head(changed))[0] != 0
    assert moved.tolist() == [True, False, False, True, False]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 4), st.integers(0, 99))
def test_points_without_offset_are_the_positions_themselves(height, width, points, seed):
    torch.manual_seed(seed)
    prior = PriorLocation(4, 6, points)
    x = torch.randn(2, 4, height, width)
    with torch.no_grad():
        for parameter in (prior.offset.weight, prior.offset.bias):
            parameter.zero_()
        y, = prior([x], [Region(0, 0, 1)])
        torch.testing.assert_close(y, prior.project(x))
        prior.legacy = True
        if min(height, width) > 1:
            assert not torch.allclose(prior([x], [Region(0, 0, 1)])[0], y, atol=1e-3)


def test_prior_locations_against_grid_sample():
    """Right alignment, several maps and regions at once, points far outside; and gradients."""
    torch.manual_seed(0)
    prior = PriorLocation(4, 5).double()
    torch.nn.init.normal_(prior.offset.weight)
    maps = [torch.randn(2, 4, 8, 6, dtype=torch.float64, requires_grad=True),
            torch.randn(2, 4, 4, 3, dtype=torch.float64, requires_grad=True)]
    regions = [Region(0, 0, 0.5), Region(1, 0, 1), Region(0, 0.25, 1)]
    got, want = prior(maps, regions), []
    for region in regions:
        a, b = region.rows(maps[region.level].shape[2])
        x = maps[region.level][:, :, a:b]
        size = torch.tensor([x.shape[3], x.shape[2]])
        at = torch.stack(torch.meshgrid(torch.arange(size[1]), torch.arange(size[0]), indexing='ij')[::-1], -1)
        offsets, weights = prior.offset(x).unflatten(1, (3, 2)), prior.weight(x).softmax(1)
        y = 0
        for k in range(3):
            grid = 2 * (at + offsets[:, k].permute(0, 2, 3, 1)) / (size - 1) - 1
            y = y + weights[:, k, None] * torch.nn.functional.grid_sample(prior.project(x), grid, align_corners=True)
        want.append(y)
    torch.testing.assert_close(got, want)
    inputs = [*maps, *prior.parameters()]
    ours, theirs = (torch.autograd.grad(sum((y**2).sum() for y in out), inputs) for out in (got, want))
    torch.testing.assert_close(ours, theirs)


def test_points_begin_apart_and_near():
    offset = build().head.prior.offset
    assert not offset.weight.any()
    places = offset.bias.detach().view(3, 2)
    assert torch.pdist(places).min() > 0.5 and places.norm(dim=1).max() <= 0.51
    assert build(legacy=True).head.prior.offset.weight.std() > 0.5


def test_fewer_points_see_the_same_places():
    x = torch.randn(1, 12, 8, 4)
    prior, sparse = PriorLocation(12, 12), PriorLocation(12, 12, density=0.5)
    sparse.load_state_dict(prior.state_dict())
    with torch.no_grad():
        dense, few = prior([x], [Region(0, 0, 1)])[0], sparse([x], [Region(0, 0, 1)])[0]
    torch.testing.assert_close(few, dense[:, :, [0, 2, 5, 7]][..., [0, 3]])
    with pytest.raises(ValueError, match='density=0; expected the share'):
        PriorLocation(4, 4, density=0)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(['max', 'avg']))
def test_pooling_pads_nothing(height, width, mode):
    pool = PyramidPooling((1, 2, 4), mode)
    got = pool(-torch.ones(1, 3, height, width))
    assert got.shape == (1, 3 * pool.num_parts) and (got == -1).all()


def test_scales_are_shared_by_a_group_and_begin_equal():
    selection = ScaleSelection(5, 3)
    group = torch.tensor([0, 1, 2, 0, 2])
    torch.testing.assert_close(selection(group), torch.full((3, 3), 1 / 3))
    assert selection.penalty(selection(group)).item() == pytest.approx(1)
    with torch.no_grad():
        selection.logits[0, 2] = 40
    weights = selection(group)
    assert weights[0].argmax() == 2 and weights[0, 2] > 0.99 and weights[1, 2] < 0.34
    assert selection.penalty(torch.eye(3)).item() == pytest.approx(0, abs=1e-6)


def test_the_penalty_makes_a_group_choose():
    selection = ScaleSelection(2, 3)
    with torch.no_grad():
        selection.logits[0, 1] = 0.01
    optim = torch.optim.Adam(selection.parameters(), lr=0.1)
    for _ in range(100):
        optim.zero_grad()
        selection.penalty(selection(torch.tensor([0, 0]))).backward()
        optim.step()
    assert selection(torch.tensor([0, 0]))[0, 1] > 0.95


def test_a_few_hundred_steps_move_the_scales_far_enough_to_be_read():
    """At the speed of the other parameters they stay where they begin."""
    ends = {}
    for gain in (1.0, 10.0):
        selection = build(selection='adaptive', scale_gain=gain).head.selection
        optim = torch.optim.AdamW(selection.parameters(), lr=1e-3, weight_decay=0)
        for _ in range(200):
            optim.zero_grad()
            (-selection(torch.tensor([0, 1, 2, 0, 2]))[0, 1]).backward()  # the loss asks for P2
            optim.step()
        ends[gain] = selection(torch.tensor([0, 1, 2, 0, 2]))[0, 1].item()
    assert ends[1.0] < 0.45 and ends[10.0] > 0.9


def test_adaptive_with_one_scale_chosen_is_fixed():
    fixed, adaptive = build().eval(), build(selection='adaptive').eval()
    adaptive.load_state_dict(fixed.state_dict(), strict=False)
    with torch.no_grad():
        for columns, scale in (([0, 3], 0), ([1], 1), ([2, 4], 2)):
            adaptive.head.selection.logits[columns, scale] = 100
        images = torch.randn(2, 3, 64, 32)
        torch.testing.assert_close(adaptive(images), fixed(images))


def test_groups_of_the_data_set_travel_in_the_checkpoint():
    stated, told, loaded = build(), build(groups=None), build(groups=None)
    with pytest.raises(GroupError, match='groups of the attributes are not known. Load a checkpoint, keep Attribute'):
        told(torch.randn(1, 3, 64, 32))
    told.head.table.read_meta(META)
    told.load_state_dict(stated.state_dict(), strict=False)
    loaded.load_state_dict(told.state_dict())
    images = torch.randn(1, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(images), stated.eval()(images))
    assert not any('table' in name for name in stated.state_dict())  # stated by the config, which is always at hand
    stated.head.table.read_meta(dict(META, groups=['x'] * 5))  # is not asked


def test_a_group_without_a_place_is_an_error():
    model = build(groups=None)
    with pytest.raises(GroupError, match=r'''(?s)where the group 'hed' is looked for.*Did you mean 'head'.*"groups": '''
                       r'''\{"hed": \{"region".*model.head.groups=\{'hed': dict\('''):
        model.head.table.read_meta(dict(META, groups=['hed', *META['groups'][1:]]))
    build(groups=dict(hed=dict(region=(0, 0.2), scale=1))).head.table.read_meta(
        dict(META, groups=['hed', *META['groups'][1:]]))  # the config adds it
    with pytest.raises(GroupError, match='names the groups of 3 attributes, the model has 5. Set model.head.num_attr'):
        model.head.table.read_meta(dict(META, groups=['head'] * 3))


def test_the_config_changes_single_values_of_a_place():
    table = build(groups=dict(head=dict(scale=3))).head.table
    table.read_meta(META)
    changed, told = table.places()[0][0], Place.read(META['group_places']['head'], 'head')
    assert changed == Place(pytest.approx(told.region), 3) and told.scale != 3 and told.region != (0, 1)


def test_a_place_for_a_group_that_the_data_set_lacks_is_an_error():
    with pytest.raises(GroupError, match=r"model.head.groups has the group 'haed'; the data set .* has 'head', .*"
                       r"Did you mean 'head'\?"):
        build(groups=dict(haed=dict(scale=1))).head.table.read_meta(META)


@pytest.mark.parametrize(('place', 'words'), [
    (dict(region=(0.5, 0.5)), r'region \(0.5, 0.5\), expected \[top, bottom\] as fractions'),
    (dict(region=(0, 64)), 'region .* fractions of the height'), (dict(scale=0), 'scale 0, expected 1'),
    (dict(keypoints=['nose']), 'keypoints .* expected numbers from 0'),
    (dict(rows=3), "is {'rows': 3}, expected such")])
def test_a_place_that_is_none_is_an_error(place, words):
    with pytest.raises(GroupError, match=f"the group 'head' .*{words}"):
        build(groups=dict(GROUPS, head=dict(place, attributes=[0, 3])))


def test_columns_that_are_not_in_one_group_each_are_an_error():
    with pytest.raises(GroupError, match=r'puts the columns \[0, 1, 1, 2, 3, 4\] into groups; expected each of 0 to 4'):
        build(groups=dict(GROUPS, more=dict(attributes=[1])))


def test_scales_that_the_neck_does_not_give():
    with pytest.raises(ValueError, match='scale 3 is asked for, the neck gives 2 maps .*backbone.out_indices'):
        build(dict(RESNET, out_indices=(0, 1)))(torch.randn(1, 3, 64, 32))
    with pytest.raises(ValueError, match="selection='learned'; expected 'fixed'"):
        build(selection='learned')


POINTS = [[16, 8, 1], [10, 60, 1], [20, 60, 0]]


def test_keypoints():
    model = build(num_keypoints=3).eval()
    images = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        first = model(images, samples(keypoints=POINTS), mode='predict')[0].pred_score
        moved = model(images, samples(keypoints=[[16, 8, 1], [25, 40, 1], [20, 60, 0]]), mode='predict')[0].pred_score
        hidden = model(images, samples(keypoints=[[0, 0, 0]] * 3), mode='predict')[0].pred_score
    assert torch.equal(first[[0, 3]], moved[[0, 3]]) and not torch.equal(first[1], moved[1])
    torch.testing.assert_close(hidden, model.head.fc.bias.sigmoid())
    model.train()(images, samples(keypoints=POINTS), mode='loss')['loss'].backward()
    assert model.head.prior.offset.bias.grad is not None


def test_a_keypoint_is_read_where_it_is():
    model = build(num_keypoints=3, groups=dict(all=dict(scale=1, attributes=[0, 1, 2, 3, 4], keypoints=[0]))).eval()
    maps = [torch.randn(1, 12, 16 // 2**i, 8 // 2**i) for i in range(4)]
    point = torch.tensor([[[17 / 32, 9 / 64, 1], [0, 0, 1], [0, 0, 1]]])
    with torch.no_grad():
        want = model.head.prior([maps[0]], [Region(0, 0, 1)])[0][:, :, 2, 4]
        torch.testing.assert_close(model.head(maps, point), model.head.fc(want))


def test_missing_keypoints_are_an_error():
    model = build(num_keypoints=3)
    images = torch.randn(2, 3, 64, 32)
    with pytest.raises(ValueError, match=r'has no keypoints, expected \[3, 3\]. Add "keypoints": \[\[x, y, visible\], '
                       r'...\] to each image of the annotation file, .*PackPerson.*or set model.head.num_keypoints=0'):
        model(images, samples(), mode='loss')
    with pytest.raises(ValueError, match=r'keypoints of shape \[1, 3\]'):
        model(images, samples(keypoints=POINTS[:1]), mode='loss')
    with pytest.raises(ValueError, match="num_keypoints is set, so images alone are not enough"):
        model(images)
    with pytest.raises(GroupError, match=r"the group 'legs' has the keypoints \[\], expected some of 0 to 2"):
        build(num_keypoints=3, groups=dict(GROUPS, legs=dict(region=(0.5, 1), scale=2, attributes=[1])))


def test_neck_reads_its_channels_and_names_others():
    assert map_channels(MODELS.build(RESNET)) == (8, 16, 32, 64)
    assert build(neck=dict(in_channels=(8, 16, 32, 64))).neck.in_channels == (8, 16, 32, 64)
    with pytest.raises(ValueError, match=r'expected 4 maps of \(8, 16, 32, 99\) channels. Set backbone.out_indices'):
        build(neck=dict(in_channels=(8, 16, 32, 99)))(torch.randn(1, 3, 64, 32))
    with pytest.raises(ValueError, match=r'in_channels=\(64,\); expected those of two or more maps .* out_indices='):
        build(dict(RESNET, out_indices=(3,)))
    with pytest.raises(ValueError, match='Spikingformer takes none .*64x64: .*224x224: .*model.neck.in_channels='):
        build(dict(BACKBONES['spikingformer'], in_channels=2))


def test_bf16_autocast_trains():
    model = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(torch.randn(2, 3, 64, 32), samples(), mode='loss')['loss']
    loss.backward()
    assert loss.dtype == torch.float32 and all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('name', ['sspnet_spikingformer_pa100k', 'sspnet_r50_upar', 'sspnet-adaptive_synthetic',
                                  'sspnet_r50_pa100k_legacy', 'baseline_r50_pa100k'])
def test_shipped_models_build(root, name):
    cfg = Config.fromfile(root / f'configs/sspnet/{name}.py').model
    cfg.backbone.init_cfg = None
    if cfg.backbone.type == 'Spikingformer':
        cfg.backbone.arch = dict(embed_dims=16, depth=1, num_heads=2)
    model = MODELS.build(cfg).eval()
    if hasattr(model.head, 'table'):
        count = model.head.num_attributes
        model.head.table.read_meta(dict(groups=['g'] * count, group_places=dict(g=dict(scale=2))))
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 32)).shape == (1, model.head.num_attributes)


def test_embedding_of_places_is_the_same_for_every_image():
    """A batch is its images, one by one."""
    model = build().eval()
    images = torch.randn(3, 3, 64, 32)
    with torch.no_grad():
        whole, alone = model(images), torch.cat([model(image[None]) for image in images])
    np.testing.assert_allclose(whole, alone, rtol=1e-4, atol=1e-5)
