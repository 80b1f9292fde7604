"""Whole Spikingformers and their parts against the published implementation, in float64, through the converter."""
import numpy as np
import pytest
import torch
from golden_cases import differences, fill, load_case
from mmpretrain.structures import DataSample

from mmspike import neurons
from mmspike.analysis import SpikeRecorder
from mmspike.convert import spikingformer
from mmspike.models.backbones.spikingformer import ATTN_NEURON, NEURON, SpikingformerBlock
from mmspike.models.layers import SpikingMLP, SpikingSelfAttention, SpikingTokenizer
from mmspike.neurons import compiled
from mmspike.registry import MODELS

CASES = ['spikingformer_imagenet_d2_k11', 'snnpar_student_d2_a26', 'snnpar_student_d3_a35']
MODES = ['eval', 'train']
# Published module of a block -> ours, and which third of its channels where q, k and v are one
PARTS = {'': ('', None), 'attn': ('attn', None), 'attn.proj_lif': ('attn.lif', None), 'attn.q_bn': ('attn.qkv_norm', 0),
         'attn.k_bn': ('attn.qkv_norm', 1), 'attn.v_bn': ('attn.qkv_norm', 2), 'attn.q_lif': ('attn.qkv_lif', 0),
         'attn.k_lif': ('attn.qkv_lif', 1), 'attn.v_lif': ('attn.qkv_lif', 2), 'attn.attn_lif': ('attn.attn_lif', None),
         'attn.proj_bn': ('attn.proj_norm', None), 'mlp': ('mlp', None), 'mlp.mlp1_lif': ('mlp.lif1', None),
         'mlp.mlp1_bn': ('mlp.norm1', None), 'mlp.mlp2_lif': ('mlp.lif2', None), 'mlp.mlp2_bn': ('mlp.norm2', None)}


@pytest.fixture(params=['reference', 'tiled', 'compiled'])
def backend(request):
    """Every back end that takes float64."""
    if request.param == 'compiled' and not compiled.available():
        pytest.skip('no C++ compiler')
    with neurons.backend(request.param):
        yield


def build(case: dict, state_dict: dict):
    """The model of a case from a config, in float64."""
    kwargs = case['model_kwargs']
    backbone = dict(type='mmspike.Spikingformer', num_steps=kwargs['T'], arch=dict(
        embed_dims=kwargs['embed_dims'], depth=kwargs['depths'], num_heads=kwargs['num_heads']))
    if case['system'] == 'spikingformer':
        head = dict(type='LinearClsHead', num_classes=kwargs['num_classes'], in_channels=kwargs['embed_dims'])
        cfg = dict(type='mmpretrain.ImageClassifier', _scope_='mmpretrain', backbone=backbone, head=head,
                   neck=dict(type='GlobalAveragePooling'))
    else:
        head = dict(type='AttributeHead', num_attributes=kwargs['num_classes'], in_channels=kwargs['embed_dims'])
        cfg = dict(type='AttributeRecognizer', backbone=backbone, head=head)
    model = MODELS.build(cfg)
    model.load_state_dict(spikingformer(state_dict), strict=True)
    return model.double()


def loss_of(case: dict, model, image: torch.Tensor) -> torch.Tensor:
    labels = case['inputs']['labels']
    if case['system'] == 'spikingformer':
        samples = [DataSample().set_gt_label(int(label)) for label in labels]
    else:
        model.head.loss_module.set_positive_ratio(case['inputs']['sample_weight'])
        samples = [DataSample().set_gt_score(label) for label in labels]
    return model(image, samples, mode='loss')['loss']


def third(y: torch.Tensor, number: int | None) -> torch.Tensor:
    return y if number is None else y.chunk(3, dim=-1)[number]


def watch(model, names) -> dict[str, torch.Tensor]:
    """What the modules of published names give in the next forward."""
    seen = {}
    for name in names:
        number = None
        if name == 'head':
            module = model.head.fc
        elif name.startswith('patch_embed.'):  # proj_bn, proj1_bn, proj1_lif, ...
            stage = int(name.removeprefix('patch_embed.proj').split('_')[0] or 0)
            tokenizer = model.backbone.tokenizer
            module = tokenizer.neurons[stage - 1] if name.endswith('lif') else tokenizer.norms[stage]
        else:
            _, block, *rest = name.split('.')
            path, number = PARTS['.'.join(rest)]
            module = model.backbone.blocks[int(block)].get_submodule(path)
        module.register_forward_hook(
            lambda _, inputs, y, name=name, number=number: seen.update({name: third(y.detach(), number)}))
    return seen


def published(state_dict: dict, ours: dict) -> dict[str, torch.Tensor]:
    """Our tensors under the published names: the converter run on the numbers of elements, backwards."""
    numbers, start = {}, 0
    for name, value in state_dict.items():
        numbers[name] = torch.arange(start, start + value.numel()).view(value.shape)
        start += value.numel()
    flat = torch.zeros(start, dtype=torch.float64)
    for name, where in spikingformer(numbers).items():
        if name in ours:
            flat[where.flatten()] = ours[name].flatten().double()
    return {name: flat[where] for name, where in numbers.items()}


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('name', CASES)
def test_network(golden, name, mode, backend):
    case, state_dict = load_case(golden / f'cases/{name}.pt')
    model, want = build(case, state_dict).train(mode == 'train'), case['outputs'][mode]
    logits, maps = [], []
    model.head.fc.register_forward_hook(lambda _, inputs, y: logits.append(y.detach()))
    model.backbone.register_forward_hook(lambda _, inputs, y: maps.append(y[-1].detach()))
    image = case['inputs']['image'].double().requires_grad_()
    with SpikeRecorder(model) as recorder:
        loss = loss_of(case, model, image)
    loss.backward()
    grads = {n: p.grad for n, p in model.named_parameters()}
    by_name = published(state_dict, grads)
    got = dict(
        logits=logits[0], loss=loss.detach(), grad_input_norm=image.grad.norm(),
        grad_norms={n: by_name[n].norm() for n in want['grad_norms']},
        grad_norm_total=torch.stack([g.norm() for g in grads.values()]).norm(),
        # q, k and v have a weight, and their norm two parameters, of their own
        n_params_with_grad=len(grads) + 6 * len(model.backbone.blocks))
    if 'features' in want:
        got['features'] = maps[0].flatten(2).transpose(1, 2)
    if mode == 'train':
        buffers = published(state_dict, dict(model.named_buffers()))
        got['running_stats'] = {n: buffers[n] for n in want['running_stats']}
    assert set(got) == set(want) - {'spike_rates', 'stage_stats'}
    assert differences(case, got, want) == []
    assert len(recorder.rates) == 4 + 5 * len(model.backbone.blocks)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('name', CASES)
def test_every_module(golden, name, mode):
    """Hooks on norms and neurons, which the plain path obeys, see what they see in the published network."""
    case, state_dict = load_case(golden / f'cases/{name}.pt')
    model, want = build(case, state_dict).train(mode == 'train'), case['outputs'][mode]
    seen = watch(model, [*want['spike_rates'], *want['stage_stats']])
    loss = loss_of(case, model, case['inputs']['image'].double())
    steps = case['model_kwargs']['T']
    copies = {'patch_embed.proj_bn': steps if mode == 'eval' else 1}  # an image that stands still is normalised once
    stats = {n: torch.stack([seen[n].mean(), seen[n].std(correction=0), seen[n].abs().sum() * copies.get(n, 1)])
             for n in want['stage_stats']}
    # the published head sees every time step, ours their mean
    stats.pop('head')
    got = dict(loss=loss.detach(), spike_rates={n: seen[n].mean() for n in want['spike_rates']}, stage_stats=stats)
    assert differences(case, got, want) == []
    if mode == 'train':
        buffers = published(state_dict, dict(model.named_buffers()))
        assert differences(case, {n: buffers[n] for n in want['running_stats']}, want['running_stats']) == []


def tokens(x: torch.Tensor) -> torch.Tensor:
    """Maps ``[T, B, C, H, W]`` -> tokens ``[T, B, N, C]``."""
    return x.flatten(3).transpose(2, 3)


UNITS = {  # published prefix, ours, the module, published submodule -> ours and which third
    'ssa': ('block.0.attn.', 'backbone.blocks.0.attn.', lambda: SpikingSelfAttention(32, 4, NEURON, ATTN_NEURON),
            {'proj_lif': ('lif', None), 'q_lif': ('qkv_lif', 0), 'k_lif': ('qkv_lif', 1), 'v_lif': ('qkv_lif', 2),
             'attn_lif': ('attn_lif', None)}),
    'mlp': ('block.0.mlp.', 'backbone.blocks.0.mlp.', lambda: SpikingMLP(32, 4, NEURON),
            {'mlp1_lif': ('lif1', None), 'mlp2_lif': ('lif2', None)}),
    'block': ('block.0.', 'backbone.blocks.0.', lambda: SpikingformerBlock(32, 4, 4, NEURON, ATTN_NEURON),
              {'attn': ('attn', None), 'mlp': ('mlp', None)}),
    'tokenizer': ('patch_embed.', 'backbone.tokenizer.', lambda: SpikingTokenizer(3, 32, NEURON),
                  {f'proj{i}_lif': (f'neurons.{i - 1}', None) for i in range(1, 5)}),
}


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('unit', UNITS)
def test_unit(golden, unit, mode):
    data = torch.load(golden / f'units/snnpar_{unit}.pt', weights_only=True)
    want, (theirs, ours, make, parts) = data[f'{mode}_float64'], UNITS[unit]
    filled = {f'{theirs}{name}': value for name, value in fill(data['keys'], dict(name='snnpar')).items()}
    others = {'patch_embed.proj_conv.weight': 0, 'block.0.mlp.mlp1_conv.bias': 0, 'head.bias': 0}  # the converter asks
    state_dict = {**{name: torch.zeros(1) for name in others}, **filled}
    module = make()
    module.load_state_dict({name.removeprefix(ours): value for name, value in spikingformer(state_dict).items()
                            if name.startswith(ours)}, strict=unit != 'tokenizer')
    module.double().train(mode == 'train')
    x = data['inputs'][0].double().requires_grad_()
    seen = {}
    for name, (path, number) in parts.items():
        module.get_submodule(path).register_forward_hook(
            lambda _, inputs, y, name=name, number=number: seen.update({name: third(y.detach(), number)}))
    y = module(x, 4)[-1] if unit == 'tokenizer' else module(tokens(x))
    expected = want['output'] if unit == 'tokenizer' else tokens(want['output'])
    torch.testing.assert_close(y, expected, rtol=1e-9, atol=1e-9)
    for name, value in seen.items():
        reference = want['acts'][name]
        if unit != 'tokenizer':  # maps, or tokens that lie last
            reference = reference.flatten(3).transpose(2, 3)
        torch.testing.assert_close(value, reference.double(), rtol=1e-9, atol=1e-9)
    assert set(seen) <= set(want['acts']) and seen
    draw = np.random.RandomState(99).standard_normal(want['output'].shape).astype(np.float32)
    weight = torch.from_numpy(draw).double()
    (y * (weight if unit == 'tokenizer' else tokens(weight))).sum().backward()
    torch.testing.assert_close(x.grad, want['grad_input'], rtol=1e-7, atol=1e-8)
    grads = published(state_dict, {f'{ours}{name}': p.grad for name, p in module.named_parameters()})
    for name, norm in want['all_grad_norms'].items():
        if norm is not None and not name.startswith('norm'):  # never called
            assert grads[f'{theirs}{name}'].norm().item() == pytest.approx(norm, rel=1e-6, abs=1e-9)
    buffers = published(state_dict, {f'{ours}{name}': b for name, b in module.named_buffers()})
    for name, value in want.get('running', {}).items():
        torch.testing.assert_close(buffers[f'{theirs}{name}'], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('mode', MODES)
def test_unit_backbone(golden, mode):
    data = torch.load(golden / 'units/snnpar_backbone.pt', weights_only=True)
    want, state_dict = data[f'{mode}_float64'], fill(data['keys'], dict(name='snnpar'))
    case = dict(system='snnpar', model_kwargs=dict(embed_dims=64, depths=2, num_heads=8, T=4, num_classes=26))
    model = build(case, state_dict).train(mode == 'train')
    blocks, features = {}, []
    for i, block in enumerate(model.backbone.blocks):
        block.register_forward_hook(lambda _, inputs, y, i=i: blocks.update({f'block.{i}': y.detach()}))
    model.backbone.register_forward_hook(lambda _, inputs, y: features.append(y[-1]))
    logits = model(data['inputs'][0].double())
    for name, value in blocks.items():
        torch.testing.assert_close(value, tokens(want['acts'][name]), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(logits, want['output'], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(features[0].flatten(2).transpose(1, 2), want['output2'], rtol=1e-9, atol=1e-9)
    assert len(blocks) == 2
