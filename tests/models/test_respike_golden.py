"""Whole ReSpike networks against the published implementation, in float64, through converter and config."""
import pytest
import torch
from golden_cases import differences, load_case
from mmaction.structures import ActionDataSample
from mmengine import Config

from mmspike import neurons
from mmspike.analysis import SpikeRecorder
from mmspike.convert import respike
from mmspike.neurons import compiled
from mmspike.registry import MODELS


@pytest.fixture(autouse=True, params=['reference', 'tiled', 'compiled'])
def backend(request):
    """Every case runs on every back end that takes float64."""
    if request.param == 'compiled' and not compiled.available():
        pytest.skip('no C++ compiler')
    with neurons.backend(request.param):
        yield


def build(root, case: dict, state_dict: dict):
    """The model of a case, from the shipped configs, with the case's weights, in float64."""
    kwargs = case['model_kwargs']
    cfg = Config.fromfile(root / f'configs/_base_/models/respike_r{kwargs["depth"]}.py')
    cfg.merge_from_dict({
        'model.backbone.stride': kwargs['stride'],
        'model.backbone.fusion_pooling': (4, 2, 1, 1) if kwargs['downsample'] else (None, 1, 1, 1),
        'model.head.num_classes': kwargs['num_classes'],
    })
    model = MODELS.build(cfg.model)
    model.load_state_dict(respike(state_dict), strict=True)
    return model.double()


def published_name(state_dict: dict) -> dict[str, str]:
    """Our parameter name -> the published one, by sending numbered tensors through the converter."""
    tagged = {name: torch.full(value.shape or (1,), float(i)) for i, (name, value) in enumerate(state_dict.items())}
    names = list(tagged)
    return {ours: names[int(value.flatten()[0])] for ours, value in respike(tagged).items()}


class StageStats:
    """Mean, population standard deviation and absolute sum of the stages' outputs, under the published names."""

    def __init__(self, model, per_call: bool):
        backbone, self.stats, self.per_call = model.backbone, {}, per_call
        self.watch(backbone.ann.maxpool, 'ann_layer0', steps=False)
        self.watch(backbone.snn.stem, 'snn_backbone.bn1')
        for i, stage in enumerate(backbone.snn.stages):
            self.watch(getattr(backbone.ann, f'layer{i + 1}'), f'ann_layer{i + 1}', steps=False)
            self.watch(stage, f'snn_backbone.layer{i + 1}')
        for i, fusion in backbone.fusions.items():
            attend, name = fusion._attend, f'snn_backbone.fusion{int(i) + 1}'
            fusion._attend = lambda frames, context, attend=attend, name=name: self.fused(frames, context, attend, name)

    def watch(self, module, name: str, steps: bool = True) -> None:
        module.register_forward_hook(lambda _, inputs, y: self.note(name, y, steps))

    def fused(self, frames, context, attend, name):
        added = attend(frames, context)
        batch = len(context)
        self.note(name, (frames + added).unflatten(0, (batch, -1)).transpose(0, 1), True)  # before enlarging
        return added

    def note(self, name: str, y: torch.Tensor, steps: bool) -> None:
        rows = y.detach() if steps and self.per_call else y.detach()[None]
        stats = torch.stack([torch.stack([r.mean(), r.std(correction=0), r.abs().sum()]) for r in rows])
        self.stats[name] = stats.squeeze(0)


@pytest.mark.parametrize('name', ['r18_s4_ds_k15', 'r18_s4_nods_k9', 'r50_s4_ds_k51', 'r50_s2_ds_k20'])
def test_eval(golden, root, name):
    case, state_dict = load_case(golden / f'cases/respike_{name}.pt')
    model = build(root, case, state_dict).eval()
    stats, maps = StageStats(model, per_call=False), {}
    model.backbone.snn.stages[-1].register_forward_hook(lambda _, inputs, y: maps.update(snn=y))
    model.backbone.ann.layer4.register_forward_hook(lambda _, inputs, y: maps.update(ann=y))
    clip = case['inputs']['clip'].double()
    with torch.no_grad(), SpikeRecorder(model) as recorder:
        features = model.backbone(clip)
        got = dict(logits=model(clip), logits_per_key=model.head.group_logits(features))
    got['ann_layer4'], got['snn_layer4_per_t'] = maps['ann'].mean((-2, -1)), maps['snn'].mean((-2, -1))
    got['stage_stats'], got['spike_rates_per_t'] = stats.stats, published_rates(recorder)
    assert set(got) == set(case['outputs']) and set(got['stage_stats']) == set(case['outputs']['stage_stats'])
    assert set(got['spike_rates_per_t']) == set(case['outputs']['spike_rates_per_t'])
    assert differences(case, got) == []


@pytest.mark.parametrize('name', ['r18_s2_ds_train', 'r18_s4_nods_train', 'r50_s4_ds_train'])
def test_train(golden, root, name):
    case, state_dict = load_case(golden / f'cases/respike_{name}.pt')
    model = build(root, case, state_dict).train()
    names, stats = published_name(state_dict), StageStats(model, per_call=True)
    clip, labels = case['inputs']['clip'].double(), case['inputs']['labels']
    logits = []
    model.head.fc.register_forward_hook(lambda _, inputs, y: logits.append(y.mean(1)))
    with SpikeRecorder(model) as recorder:
        loss = model(clip, [ActionDataSample().set_gt_labels(int(label)) for label in labels], mode='loss')['loss']
    loss.backward()
    norms = {names[n]: p.grad.norm() for n, p in model.named_parameters() if p.grad is not None}
    buffers = {names[n]: b for n, b in model.named_buffers() if n in names}
    want = case['outputs']
    got = dict(
        logits=logits[0].detach(), loss=loss.detach(), stage_stats=stats.stats,
        grad_norms={n: norms[n] for n in want['grad_norms']},
        grad_norm_total=torch.stack(list(norms.values())).norm(), n_params_with_grad=len(norms),
        running_stats={n: buffers[n] for n in want['running_stats']}, spike_rates_per_t=published_rates(recorder))
    assert set(got) == set(want) and set(got['stage_stats']) == set(want['stage_stats'])
    assert differences(case, got) == []


def published_rates(recorder: SpikeRecorder) -> dict[str, torch.Tensor]:
    rates = {}
    for name, rate in recorder.rates.items():
        stage, block, lif = name.removeprefix('backbone.snn.stages.').split('.')
        rates[f'snn_backbone.layer{int(stage) + 1}.{block}.{lif}'] = rate
    return rates
