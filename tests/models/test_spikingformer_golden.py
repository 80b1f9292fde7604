"""Whole Spikingformers and their parts against the published implementation, in float64, through the converter."""
import pytest
import torch
from golden_cases import differences, fill, load_case
from mmpretrain.structures import DataSample

from mmspike import neurons
from mmspike.analysis import SpikeRecorder
from mmspike.convert import spikingformer
from mmspike.models import Spikingformer
from mmspike.models.backbones.spikingformer import ATTN_NEURON, NEURON, SpikingformerBlock
from mmspike.models.layers import SpikingMLP, SpikingSelfAttention, SpikingTokenizer
from mmspike.neurons import LIF, compiled, lif
from mmspike.registry import MODELS


@pytest.fixture(autouse=True, params=['reference', 'tiled', 'compiled'])
def backend(request):
    """Every case runs on every back end that takes float64."""
    if request.param == 'compiled' and not compiled.available():
        pytest.skip('no C++ compiler')
    with neurons.backend(request.param):
        yield


def build(case: dict, state_dict: dict, **head):
    """The model of a case as a config would build it, in float64."""
    kwargs = case['model_kwargs']
    arch = dict(embed_dims=kwargs['embed_dims'], depth=kwargs['depths'], num_heads=kwargs['num_heads'],
                mlp_ratio=kwargs['mlp_ratio'])
    backbone = dict(type='Spikingformer', arch=arch, num_steps=kwargs['T'])
    if case['system'] == 'spikingformer':
        model = MODELS.build(dict(
            type='mmpretrain.ImageClassifier', _scope_='mmpretrain',
            backbone=dict(backbone, type='mmspike.Spikingformer'), neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=kwargs['num_classes'],
                      in_channels=kwargs['embed_dims'])))
    else:
        model = MODELS.build(dict(
            type='AttributeRecognizer', backbone=backbone,
            head=dict(type='AttributeHead', num_attributes=kwargs['num_classes'], in_channels=kwargs['embed_dims'])))
    model.load_state_dict(spikingformer(state_dict), strict=True)
    return model.double()


def loss_of(case: dict, model, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and loss."""
    logits = []
    model.head.fc.register_forward_hook(lambda _, inputs, y: logits.append(y))
    if case['system'] == 'spikingformer':
        samples = [DataSample().set_gt_label(int(label)) for label in case['inputs']['labels']]
    else:
        model.head.loss_module.set_positive_ratio(case['inputs']['sample_weight'])
        samples = [DataSample().set_gt_score(label) for label in case['inputs']['labels']]
    return model(image, samples, mode='loss')['loss'], logits


# Published module -> ours, and which third of ours where q, k and v are one
MODULES = {'attn.q_bn': ('attn.qkv_norm', 0), 'attn.k_bn': ('attn.qkv_norm', 1), 'attn.v_bn': ('attn.qkv_norm', 2),
           'attn.proj_bn': ('attn.proj_norm', None), 'attn': ('attn', None), 'mlp.mlp1_bn': ('mlp.norm1', None),
           'mlp.mlp2_bn': ('mlp.norm2', None), 'mlp': ('mlp', None), '': ('', None),
           'attn.proj_lif': ('attn.lif', None), 'attn.q_lif': ('attn.qkv_lif', 0), 'attn.k_lif': ('attn.qkv_lif', 1),
           'attn.v_lif': ('attn.qkv_lif', 2), 'attn.attn_lif': ('attn.attn_lif', None),
           'mlp.mlp1_lif': ('mlp.lif1', None), 'mlp.mlp2_lif': ('mlp.lif2', None)}


class Outputs:
    """What chosen modules gave, under the published names."""

    def __init__(self, model, names):
        self.values = {}
        for name in names:
            if name.startswith('patch_embed.'):
                number = int(name.removeprefix('patch_embed.proj')[0]) if name[len('patch_embed.proj')].isdigit() else 0
                tokenizer = model.backbone.tokenizer
                module, third = (tokenizer.neurons[number - 1] if name.endswith('lif') else tokenizer.norms[number]), None
            elif name == 'head':
                module, third = model.head.fc, None
            else:
                _, block, *rest = name.split('.')
                path, third = MODULES['.'.join(rest)]
                module = model.backbone.blocks[int(block)].get_submodule(path)
            module.register_forward_hook(
                lambda _, inputs, y, name=name, third=third: self.values.update(
                    {name: y.detach() if third is None else y.detach().chunk(3, dim=-1)[third]}))

    def stats(self, names) -> dict:
        return {name: torch.stack([y.mean(), y.std(correction=0), y.abs().sum() * repeats])
                for name in names for y, repeats in [self.values[name]]}


def test_dummy(golden):
    case, sd = load_case(golden / 'cases/spikingformer_imagenet_d2_k11.pt')
    for mode in ('eval', 'train'):
        model = build(case, sd).train(mode == 'train')
        loss, logits = loss_of(case, model, case['inputs']['image'].double())
        print(differences(case, dict(loss=loss.detach(), logits=logits[0].detach()), case['outputs'][mode]))
        print({n: b for n,b in model.named_buffers() if 'norms.0.running_var' in n}, case['outputs']['train']['running_stats']['patch_embed.proj_bn.running_var'])
