"""Converters of SNN-PAR, VTB and ViT: every published name, files as published, and what they refuse."""
import json
import pickle
import re
import runpy
import sys
import types

import numpy as np
import pytest
import torch
from golden_cases import load_case
from mmengine.config import Config

from mmspike.convert import snn_par, vit, vtb
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, load_checkpoint_file, load_weights
from mmspike.utils.text_embeddings import TextEmbeddings


@pytest.fixture
def published(golden):
    keys = json.loads((golden / 'units/snnpar_keys.json').read_text())['full_keys']
    with torch.device('meta'):
        return {name: torch.empty(shape) for name, shape, _ in keys}


def shipped(root, name, **options):
    cfg = Config.fromfile(root / f'configs/_base_/models/{name}.py')
    cfg.merge_from_dict(options)
    return MODELS.build(cfg.model)


def shapes(state_dict):
    return {name: tuple(value.shape) for name, value in state_dict.items()}


def test_every_name_of_the_student(published, root):
    with torch.device('meta'):
        model = shipped(root, 'spikingformer_8-768_attributes')
    assert shapes(snn_par(published)) == shapes(model.state_dict())
    assert sum(p.numel() for p in model.parameters()) == 65_614_202 - 24_576  # less what is never called


def test_every_name_of_the_teacher(published, root, tmp_path):
    names = [str(i) for i in range(26)]
    TextEmbeddings(names, names, np.zeros((26, 768)), 'none').write(tmp_path / 'text.npz')
    with torch.device('meta'):
        model = shipped(root, 'vtb_vit-b16', **{'model.head.text_embeddings': str(tmp_path / 'text.npz')})
    assert shapes(vtb(published)) == shapes(model.state_dict())
    alone = {f'module.{name}': value for name, value in published.items() if not name.startswith('snn_model.')}
    assert list(vtb(alone)) == list(vtb(published))
    assert sum(p.numel() for p in model.parameters()) == 87_127_606 - 769_000  # less the classifier of ImageNet
    layers = [*model.backbone.layers, model.head.layer]
    rates = [getattr(layer.attn.out_drop, 'drop_prob', 0) for layer in layers]
    assert rates == pytest.approx([0.1 * i / 11 for i in range(12)])


def test_the_block_over_text_and_image_wins_over_its_second_name():
    state_dict = tiny_vtb()
    state_dict['blocks.0.mlp.fc1.bias'], state_dict['vit.blocks.1.mlp.fc1.bias'] = torch.ones(2), torch.zeros(2)
    state_dict['norm.bias'], state_dict['vit.norm.bias'] = torch.ones(2), torch.zeros(2)
    converted = vtb(state_dict)
    assert converted['head.layer.ffn.layers.0.0.bias'].tolist() == converted['head.norm.bias'].tolist() == [1, 1]
    assert 'backbone.layers.1.ffn.layers.0.0.bias' not in converted


def test_attributes_keep_their_order():
    state_dict = tiny_vtb()
    for i in reversed(range(12)):  # as text 10 comes before 2
        state_dict[f'weight_layer.{i}.weight'] = torch.full((1, 2), float(i))
    assert vtb(state_dict)['head.fc.weight'][:, 0].tolist() == list(range(12))


def tiny_vtb():
    names = [f'vit.blocks.{i}.{leaf}' for i in range(2) for leaf in ('norm1.weight', 'attn.qkv.weight', 'mlp.fc1.bias')]
    names += ['vit.patch_embed.proj.weight', 'vit.norm.bias', 'bn.weight', 'word_embed.bias', 'vit.fc.bias']
    return {name: torch.zeros(2) for name in names} | {f'weight_layer.{i}.bias': torch.zeros(1) for i in range(12)}


def test_training_starts_from_an_imagenet_vit(root):
    """14x14 positions of an image of 224 become 16x8, as the published code resizes them."""
    arch = dict(embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=32)
    model = shipped(root, 'vtb_vit-b16', **{
        'model.backbone.arch': arch, 'model.head.in_channels': 8, 'model.head.num_heads': 2})
    imagenet = MODELS.build(dict(type='mmpretrain.VisionTransformer', arch=dict(arch, num_layers=2), out_type='raw'))
    timm = {'head.weight': torch.zeros(10, 8), 'pre_logits.fc.bias': torch.zeros(8)}
    for name, value in imagenet.state_dict().items():
        name = re.sub(r'^ln1\.', 'norm.', name).replace('layers.', 'blocks.', 1).replace('.ln', '.norm')
        name = name.replace('ffn.layers.0.0', 'mlp.fc1').replace('ffn.layers.1', 'mlp.fc2')
        timm[name.replace('projection', 'proj')] = torch.randn(value.shape)
    converted = vit(timm)
    assert torch.equal(converted['head.layer.attn.qkv.weight'], timm['blocks.1.attn.qkv.weight'])
    difference = compare_state_dict(model, dict(converted))
    assert not difference.unexpected and not difference.shapes
    assert set(difference.missing) == {f'head.{name}' for name in (
        'text', 'text_type', 'image_type', 'fc.weight', 'fc.bias', 'word_embed.weight', 'word_embed.bias', 'bn.weight',
        'bn.bias', 'bn.running_mean', 'bn.running_var')}
    model.load_state_dict(dict(converted), strict=False)
    grid = timm['pos_embed'][:, 1:].transpose(1, 2).unflatten(2, (14, 14))
    want = torch.nn.functional.interpolate(grid, (16, 8), mode='bilinear', align_corners=False).flatten(2).mT
    torch.testing.assert_close(model.backbone.pos_embed[:, 1:], want)


class EasyDict(dict):
    """As the package's: keys are attributes too."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        super().__setitem__(name, value)


@pytest.fixture
def easydict(monkeypatch):
    """While a file is written: ``easydict`` as if it were installed."""
    module = types.ModuleType('easydict')
    module.EasyDict = EasyDict
    with monkeypatch.context() as patch:
        patch.setattr(EasyDict, '__module__', 'easydict')
        patch.setitem(sys.modules, 'easydict', module)
        yield module


def save_as_published(state_dict, path, easydict):
    metric = easydict.EasyDict()
    metric.ma, metric.label_f1 = np.float64(0.7386), np.ones(3)
    state_dict = {f'module.{name}': value for name, value in state_dict.items()}
    torch.save(dict(state_dicts=state_dict, epoch='2024 in epoch 59', metric=metric), path)


def test_published_file_is_read_and_converted_in_two_ways(golden, root, tmp_path, easydict):
    case, state_dict = load_case(golden / 'cases/snnpar_full_a26.pt')
    save_as_published(state_dict, tmp_path / 'published.pth', easydict)
    assert load_checkpoint_file(tmp_path / 'published.pth')['metric']['ma'] == 0.7386
    for system in ('snn_par', 'vtb'):
        main = runpy.run_path(str(root / 'tools/model_converters/convert.py'))['main']
        assert main([system, str(tmp_path / 'published.pth'), str(tmp_path / f'{system}.pth')]) == 0
    kwargs = case['model_kwargs']['student']
    arch = dict(_delete_=True, embed_dims=kwargs['embed_dims'], depth=kwargs['depths'], num_heads=kwargs['num_heads'])
    model = shipped(root, 'spikingformer_8-768_attributes', **{
        'model.backbone.arch': arch, 'model.backbone.num_steps': kwargs['T'],
        'model.head.in_channels': kwargs['embed_dims']})
    load_weights(model, tmp_path / 'snn_par.pth')
    with torch.no_grad():
        logits = model.double().eval()(case['inputs']['image'].double())
    torch.testing.assert_close(logits, case['outputs']['eval']['S_logits'], rtol=1e-7, atol=1e-9)
    assert load_checkpoint_file(tmp_path / 'vtb.pth')['meta']['system'] == 'vtb'


class Attack:
    def __reduce__(self):
        return exec, ('raise SystemExit',)


def test_the_stand_in_for_easydict_opens_no_other_door(tmp_path, easydict):
    torch.save(dict(state_dicts={}, metric=easydict.EasyDict(a=Attack())), tmp_path / 'attack.pth')
    assert pickle.dumps(Attack())
    with pytest.raises(CheckpointError, match='attack.pth: refused.*exec'):
        load_checkpoint_file(tmp_path / 'attack.pth')


@pytest.mark.parametrize(('convert', 'names', 'message'), [
    (snn_par, ['patch_embed.proj_conv.weight'], "none of 1 names begins with 'snn_model.'.*\"spikingformer\""),
    (snn_par, ['snn_model.conv.weight'], "'conv.weight' is no name of a Spikingformer"),
    (vtb, ['backbone.cls_token'], "'backbone.cls_token' is no name of such a checkpoint .*already converted"),
    (vtb, ['vit.cls_token'], r'no weight of backbone.patch_embed.\* among 1 names'),
    (vtb, ['vit.blocks.0.norm1.bias', 'blocks.1.norm1.bias'], "'blocks.1.norm1.bias': expected one block over text"),
    (vit, ['layers.0.bias'], "'layers.0.bias' is no name of such a checkpoint"),
    (vit, ['pos_embed'], r'no weight of backbone.patch_embed.\*.*whole published ViT'),
])
def test_other_checkpoints_are_refused(convert, names, message):
    with pytest.raises(ValueError, match=message):
        convert({name: torch.zeros(1) for name in names})
