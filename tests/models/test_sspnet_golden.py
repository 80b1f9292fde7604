"""SSPNet, whole and in parts, against the published implementation, in float64, through converter and config."""
import json

import pytest
import torch
from golden_cases import PublishedGradients, differences, load_case
from mmengine import Config
from mmpretrain.structures import DataSample

from mmspike.convert import sspnet
from mmspike.models import WeightedBCELoss
from mmspike.models.layers.prior_location import PriorLocation, Region, spread
from mmspike.models.layers.pyramid_pooling import PyramidPooling
from mmspike.models.necks.sspnet_neck import upsample_add
from mmspike.registry import MODELS

BRANCHES = ('head', 'mid', 'low', 'all')


def build(root, case: dict, state_dict: dict):
    """The model of a case from the shipped config."""
    cfg = Config.fromfile(root / 'configs/sspnet/sspnet_r50_pa100k_legacy.py')
    kwargs = case['model_kwargs']
    cfg.merge_from_dict({'model.backbone.init_cfg': None, 'model.head.logit_norm': kwargs['head_bn'],
                         'model.head.dropout': kwargs.get('dropout', 0.1)})
    model = MODELS.build(cfg.model)
    model.load_state_dict(sspnet(state_dict), strict=True)
    return model.double().train(kwargs['mode'] == 'train')


def statistics(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.mean(), x.std(correction=0), x.abs().sum()])


class StageStats:
    """Statistics of what modules gave, under the published names; where the published code calls one module for each
    group, the rows are put together."""

    def __init__(self, model):
        self.stats, self.model = {}, model
        modules = {f'backbone.{name}': module for name, module in model.backbone.named_modules() if name}
        for i in range(3):
            modules |= {f'backbone.latlayer{3 - i}': model.neck.laterals[i],
                        f'backbone.smooth{3 - i}': model.neck.smooths[i]}
        for name, module in (modules | {'backbone.toplayer': model.neck.top}).items():
            module.register_forward_hook(lambda _, x, y, name=name: self.stats.update({name: statistics(y.detach())}))
        model.head.prior.register_forward_hook(self._priors)
        model.head.register_forward_hook(self._logits)
        self.pooled = []
        model.head.pool.register_forward_hook(lambda _, x, y: self.pooled.append(y.detach()))

    def _priors(self, prior, inputs, outputs):
        self.priors = [y.detach() for y in outputs]
        maps, regions = inputs
        projected = []
        for region in regions:
            top, bottom = region.rows(maps[region.level].shape[2])
            projected.append(prior.project(maps[region.level][:, :, top:bottom]).detach())
        self.stats['classifier.PLEs'] = torch.stack([statistics(y) for y in self.priors])
        self.stats['classifier.PLEs.conv'] = torch.stack([statistics(y) for y in projected])

    def _logits(self, head, inputs, logits):
        self.stats['classifier.SPP'] = torch.stack([statistics(y) for y in self.pooled])
        for name, part in zip(BRANCHES, logits.detach().split((2, 7, 5, 12), 1), strict=True):
            self.stats[f'classifier.cls_{name}'] = statistics(part)


@pytest.mark.parametrize('name', ['r50_w192', 'r50_w64', 'r50_w96_headbn'])
def test_evaluation(golden, root, name):
    case, state_dict = load_case(golden / f'cases/sspnet_{name}.pt')
    model = build(root, case, state_dict)
    seen = StageStats(model)
    with torch.no_grad():
        maps = model.extract_feat(case['inputs']['image'].double())
        logits = model.head(maps)
        offsets, weights = model.head.prior.places(maps[2].permute(0, 2, 3, 1).flatten(0, 2))
    batch, _, height, width = maps[2].shape
    got = dict(
        logits=logits, spp=torch.stack(seen.pooled),
        ple_all_offsets=offsets.view(batch, height, width, 3, 2).permute(0, 3, 4, 1, 2),
        ple_all_weights=weights.view(batch, height, width, 3).permute(0, 3, 1, 2),
        P_stats={f'P{i}': statistics(x) for i, x in enumerate(maps, 1)},
        ple_stats={branch: statistics(y) for branch, y in zip(BRANCHES, seen.priors, strict=True)},
        stage_stats=seen.stats)
    got['stage_stats'] = {key: seen.stats[key] for key in case['outputs']['stage_stats']}
    assert set(got) == set(case['outputs'])
    assert differences(case, got) == []


@pytest.mark.parametrize('name', ['r50_w144_train', 'r50_w64_train', 'r50_w128_evalgrad'])
def test_gradients(golden, root, name):
    case, state_dict = load_case(golden / f'cases/sspnet_{name}.pt')
    model = build(root, case, state_dict)
    model.head.loss_module.set_positive_ratio(case['inputs']['sample_weight'])
    seen = StageStats(model)
    samples = [DataSample().set_gt_score(labels) for labels in case['inputs']['labels']]
    logits = model.head(model.extract_feat(case['inputs']['image'].double()))
    loss = model.head.loss_of(logits, samples)['loss']
    loss.backward()
    want = case['outputs']
    got = dict(logits=logits.detach(), loss=loss.detach(),
               **PublishedGradients(model, state_dict, sspnet).outputs(want['grad_norms']))
    got['stage_stats'] = {key: seen.stats[key] for key in want['stage_stats']}
    if 'running_stats' in want:
        ours = model.state_dict()
        got['running_stats'] = {key: ours[key] for key in want['running_stats']}
    assert set(got) == set(want)
    assert differences(case, got) == []


def prior_of(case: dict, state_dict: dict, prefix: str) -> PriorLocation:
    """A module of the case of units, under our names."""
    kwargs = case['model_kwargs'][prefix]
    prior = PriorLocation(kwargs['in_ch'], kwargs['out_ch'], kwargs['k'], legacy=True)
    names = {name.removeprefix(f'{prefix}.'): value for name, value in state_dict.items()
             if name.startswith(f'{prefix}.')}
    ours = {f'project.{leaf}': names[f'conv.{leaf}'] for leaf in ('weight', 'bias')}
    for leaf in ('weight', 'bias'):
        ours[f'weight.{leaf}'] = names[f'weight_conv.0.{leaf}']
        ours[f'offset.{leaf}'] = torch.cat([names[f'offset_conv.{i}.{leaf}'] for i in range(kwargs['k'])])
    prior.load_state_dict(ours)
    return prior.double()


@pytest.mark.parametrize('name', ['ple', 'ple4', 'ple_single_row'])
def test_prior_location(golden, name):
    case, state_dict = load_case(golden / 'cases/sspnet_units.pt')
    prefix = name if name in case['model_kwargs'] else 'ple4'
    prior = prior_of(case, state_dict, prefix)
    x = case['inputs'][name]['x'].double().requires_grad_()
    y, = prior([x], [Region(0, 0, 1)])
    (y * case['inputs'][name]['grad_out'].double()).sum().backward()
    batch, _, height, width = x.shape
    offsets, weights = prior.places(x.permute(0, 2, 3, 1).flatten(0, 2))
    norms = {f'{prefix}.conv.{leaf}': getattr(prior.project, leaf).grad.norm() for leaf in ('weight', 'bias')}
    for leaf in ('weight', 'bias'):
        norms[f'{prefix}.weight_conv.0.{leaf}'] = getattr(prior.weight, leaf).grad.norm()
        for point, grad in enumerate(getattr(prior.offset, leaf).grad.split(2)):
            norms[f'{prefix}.offset_conv.{point}.{leaf}'] = grad.norm()
    got = dict(
        y=y.detach(), grad_x=x.grad, projected=prior.project(x).detach(), grad_norms=norms,
        offsets=offsets.detach().view(batch, height, width, -1, 2).permute(0, 3, 4, 1, 2),
        weights=weights.detach().view(batch, height, width, -1).permute(0, 3, 1, 2))
    want = case['outputs'][name]
    assert set(got) == set(want) and set(norms) == set(want['grad_norms'])
    assert differences(case, got, want) == []


def test_prior_location_at_points(golden):
    case, state_dict = load_case(golden / 'cases/sspnet_units.pt')
    inputs = case['inputs']['plek']
    prior = prior_of(case, state_dict, 'plek')
    y, = prior.at_points([inputs['x'].double()], [0], [torch.stack([inputs['ax'], inputs['ay']], -1)])
    assert differences(case, dict(y=y.detach()), case['outputs']['plek']) == []


@pytest.mark.parametrize('name', ['12_even_max', '12_odd_max', '12_odd_negative_max', '124_max', '123_odd_avg'])
def test_pyramid_pooling(golden, name):
    case, _ = load_case(golden / 'cases/sspnet_units.pt')
    inputs = case['inputs'][f'spp_{name}']
    pool = PyramidPooling(inputs['levels'], inputs['mode'], legacy=True)
    assert differences(case, dict(y=pool(inputs['x'].double())), case['outputs'][f'spp_{name}']) == []


def test_sparse_positions_row_slices_and_upsampling(golden):
    case, _ = load_case(golden / 'cases/sspnet_units.pt')
    x = case['inputs']['sparse']['x'].double()
    sparse = {}
    for ratio in case['inputs']['sparse']['ratios']:
        rows, columns = (spread(n, ratio, x.device) for n in x.shape[2:])
        sparse[f'ratio_{ratio}'] = x[:, :, rows][..., columns]
    cfg = dict(head=(0, 0.375), mid=(0.125, 0.625), low=(0.5, 1), all=(0, 1))
    block = {}
    for branch, (top, bottom) in cfg.items():
        block[branch] = {}
        for name, level in case['inputs']['block'].items():
            a, b = Region(0, top, bottom).rows(level.shape[2])
            block[branch][name] = level[:, :, a:b].double()
    pair = case['inputs']['upsample_add']
    z = upsample_add(pair['x'].double(), pair['y'].double())
    assert set(sparse) == set(case['outputs']['sparse']) and set(block) == set(case['outputs']['block'])
    assert differences(case, dict(sparse=sparse, block=block, upsample_add=dict(z=z))) == []


def test_names_and_sizes(golden, root):
    facts = json.loads((golden / 'units/sspnet_keys.json').read_text())
    published = {f'module.{name}': torch.zeros(shape, dtype=torch.long if name.endswith('tracked') else torch.float)
                 for name, shape in facts['keys'].items()}
    cfg = Config.fromfile(root / 'configs/sspnet/sspnet_r50_pa100k_legacy.py').model
    cfg.backbone.init_cfg = None
    model = MODELS.build(cfg)
    model.load_state_dict(sspnet(published), strict=True)
    parts = dict(total=count(model), backbone=count(model.backbone, model.neck), classifier=count(model.head),
                 PLEs=count(model.head.prior), fpn=count(model.neck))
    assert parts == facts['params']


BACKBONES = dict(
    resnet50=dict(type='mmpretrain.ResNet', depth=50), resnet101=dict(type='mmpretrain.ResNet', depth=101),
    resnet152=dict(type='mmpretrain.ResNet', depth=152),
    resnext50_32x4d=dict(type='mmpretrain.ResNeXt', depth=50, groups=32, width_per_group=4),
    resnext101_32x8d=dict(type='mmpretrain.ResNeXt', depth=101, groups=32, width_per_group=8))


@pytest.mark.parametrize('name', BACKBONES)
def test_sizes_of_other_backbones(golden, root, name):
    facts = json.loads((golden / 'units/sspnet_keys.json').read_text())
    cfg = Config.fromfile(root / 'configs/sspnet/sspnet_r50_pa100k_legacy.py').model
    cfg.backbone = dict(BACKBONES[name], out_indices=(0, 1, 2, 3))
    cfg.neck.in_channels, cfg.head.groups = (256, 512, 1024, 2048), None
    assert count(MODELS.build(cfg)) == facts['params_by_backbone_with_SSPNet_head'][name]


def count(*modules: torch.nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_losses(golden):
    case, _ = load_case(golden / 'cases/sspnet_losses.pt')
    logits, labels, ratio = (case['inputs'][name] for name in ('logits', 'targets', 'sample_weight'))
    weighted, plain, smooth = (WeightedBCELoss(ratio, **options)(logits, labels) for options in
                               ({}, dict(weighted=False), dict(label_smoothing=0.1)))
    images = len(logits)  # the published sum over everything
    got = dict(bce_weighted_per_image=weighted, bce_weighted_sum=weighted * images, bce_unweighted_per_image=plain,
               bce_unweighted_sum=plain * images)
    got['bce_weighted_smooth0.1'] = smooth
    optional = {'scaledbce_per_image_scale1', 'scaledbce_per_image_scale7'}  # not a loss of the published training
    assert set(case['outputs']) - set(got) == optional
    assert differences(case, got) == []
