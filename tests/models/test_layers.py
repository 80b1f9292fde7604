"""Single layers against the published ones (golden units), and against what they replace."""
import json

import numpy as np
import pytest
import torch
from golden_cases import fill_respike
from torch import nn

from mmspike.models import ClipDataPreprocessor
from mmspike.models.backbones.spiking_resnet import NEURON, NORM, SpikingBlock
from mmspike.models.layers import CrossAttentionFusion, StepBatchNorm2d, per_step, split_key_frames

BLOCK_NAMES = {'bn1': 'norm1', 'bn2': 'norm2', 'shortcut.1': 'shortcut.conv', 'shortcut.2': 'shortcut.norm'}
FUSION_NAMES = {
    'transformer_blocks.0.attn1': 'self_attn', 'transformer_blocks.0.attn2': 'cross_attn',
    'transformer_blocks.0.ff.net.0.proj': 'ffn.proj_in', 'transformer_blocks.0.ff.net.2': 'ffn.proj_out',
    'transformer_blocks.0.': '', 'to_out.0': 'to_out'}


def rename(name: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        name = name.replace(old, new)
    return name


def load_block(golden, kind: str) -> tuple[SpikingBlock, dict]:
    data = dict(np.load(golden / f'units/respike_block_{kind}.npz'))
    block = SpikingBlock(16, *(dict(id=(16, 1), down=(32, 2))[kind]), NEURON, NORM)
    shapes = {rename(name, {v: k for k, v in BLOCK_NAMES.items()}): p.shape for name, p in block.state_dict().items()}
    block.load_state_dict({rename(name, BLOCK_NAMES): fill_respike(f'blk_{kind}.{name}', tuple(shape))
                           for name, shape in shapes.items()})
    return block.double(), data


@pytest.mark.parametrize('kind', ['id', 'down'])
@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_spiking_block(golden, kind, mode):
    block, data = load_block(golden, kind)
    block.train(mode == 'train')
    x = torch.from_numpy(data['x']).double().requires_grad_()
    y = block(x)
    np.testing.assert_allclose(y.detach(), data[f'{mode}_y'], rtol=0, atol=1e-12)
    weight = np.random.RandomState(int(data['w_seed'])).standard_normal(y.shape)
    (y * torch.from_numpy(weight)).sum().backward()
    np.testing.assert_allclose(x.grad, data[f'{mode}_grad_x'], rtol=1e-9, atol=1e-11)
    grads = {name: p.grad for name, p in block.named_parameters()}
    compared = 0
    for name in data:
        kind_of, _, parameter = name.partition('::')
        if kind_of == f'{mode}_grad':
            np.testing.assert_allclose(grads[rename(parameter, BLOCK_NAMES)], data[name], rtol=1e-9, atol=1e-10)
            compared += 1
        elif kind_of == 'train_after' and mode == 'train':
            np.testing.assert_allclose(block.get_buffer(rename(parameter, BLOCK_NAMES)), data[name], atol=1e-12)
            compared += 1
    assert compared >= len(grads)


def test_fusion(golden):
    data = dict(np.load(golden / 'units/respike_fusion.npz'))
    fusion = CrossAttentionFusion(64, 256, head_dim=32)
    keys = json.loads(str(data['keys']))
    names = [key if isinstance(key, str) else key[0] for key in keys]
    published = {rename(name.removeprefix('fus.'), FUSION_NAMES): name.removeprefix('fus.') for name in names}
    own = fusion.state_dict()
    assert set(published) == set(own)

    def weight(name):
        shape = tuple(own[name].shape)
        is_conv = name in ('proj_in.weight', 'proj_out.weight')  # 1x1 convolutions upstream
        return fill_respike(f'fus.{published[name]}', shape + (1, 1) if is_conv else shape).reshape(shape)

    fusion.load_state_dict({name: weight(name) for name in own})
    fusion.double()
    x = torch.from_numpy(data['x']).double().requires_grad_()
    context = torch.from_numpy(data['context']).double().requires_grad_()
    y = fusion(x[None], context.transpose(1, 2).unflatten(2, (4, 4)))[0]
    np.testing.assert_allclose(y.detach(), data['y'], rtol=0, atol=1e-12)
    (y * torch.from_numpy(data['w'])).sum().backward()
    np.testing.assert_allclose(x.grad, data['grad_x'], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(context.grad, data['grad_context'], rtol=1e-9, atol=1e-11)
    norms = {f'gradnorm::{published[name]}': p.grad.norm().item() for name, p in fusion.named_parameters()}
    assert set(norms) == {name for name in data if name.startswith('gradnorm::')}
    for name, norm in norms.items():
        np.testing.assert_allclose(norm, data[name], rtol=1e-9)
    np.testing.assert_allclose(fusion.cross_attn.to_k.weight.grad,
                               data['grad::transformer_blocks.0.attn2.to_k.weight'], rtol=1e-9, atol=1e-11)


def test_fusion_takes_the_steps_of_a_group_together():
    torch.manual_seed(0)
    fusion = CrossAttentionFusion(32, 48, head_dim=16, pool=2).double()
    nn.init.normal_(fusion.proj_out.weight)
    x, context = torch.randn(3, 2, 32, 8, 8).double(), torch.randn(2, 48, 8, 8).double()
    steps = torch.stack([fusion(x[t:t + 1], context)[0] for t in range(3)])
    torch.testing.assert_close(fusion(x, context), steps, rtol=0, atol=1e-12)


def test_untrained_fusion_is_the_identity():
    x = torch.randn(2, 2, 32, 4, 4)
    assert torch.equal(CrossAttentionFusion(32, 8)(x, torch.randn(2, 8, 4, 4)), x)


def test_fusion_head_dim_must_divide():
    with pytest.raises(ValueError, match=r'head_dim=32 does not divide in_channels=16.*fusion.head_dim'):
        CrossAttentionFusion(16, 16)


def test_fusion_pool_must_divide_the_map():
    with pytest.raises(ValueError, match='pool=2 does not divide a map of 3x3.*fusion_pooling'):
        CrossAttentionFusion(32, 8, pool=2)(torch.zeros(1, 1, 32, 3, 3), torch.zeros(1, 8, 3, 3))


@pytest.mark.parametrize('case', ['B2_T8_S4', 'B1_T8_S2', 'B1_T16_S4', 'B1_T16_S8', 'B1_T16_S16'])
def test_split_key_frames(golden, case):
    data = np.load(golden / 'units/respike_residual.npz')
    key, residual = split_key_frames(torch.from_numpy(data[f'{case}_x']), int(case.rpartition('S')[2]))
    np.testing.assert_array_equal(key, data[f'{case}_key'])
    np.testing.assert_array_equal(residual.transpose(0, 1), data[f'{case}_res'])


@pytest.mark.parametrize(('frames', 'stride'), [(10, 4), (8, 1), (3, 4)])
def test_split_key_frames_names_legal_strides(frames, stride):
    with pytest.raises(ValueError, match=rf'T={frames} frames cannot be cut into groups of stride S={stride}.*'
                       r'num_segments or clip_len.*model.backbone.stride to one of'):
        split_key_frames(torch.zeros(1, frames, 3, 32, 32), stride)


@pytest.mark.parametrize(('legacy', 'name'), [(False, 'correct_per_channel'), (True, 'upstream_groupnormalize')])
def test_preprocessor_normalisation(golden, legacy, name):
    data = np.load(golden / 'units/respike_transforms.npz')
    frames = data['test_pre_norm']  # [T, 3, H, W] on the scale 0-1
    clip = torch.from_numpy(np.rint(frames * 255).astype(np.uint8)).permute(0, 2, 3, 1)[None]  # [V, T, H, W, 3]
    assert np.abs(np.rint(frames * 255) / 255 - frames).max() < 1e-6
    out = ClipDataPreprocessor(legacy=legacy)(dict(inputs=[clip, clip], data_samples=[]))['inputs']
    assert out.shape == (2, 16, 3, 28, 28)
    np.testing.assert_allclose(out[1], data[name], rtol=0, atol=2e-6)


def test_preprocessor_keeps_the_views_of_a_sample_together():
    clips = [torch.full((3, 2, 4, 4, 3), i, dtype=torch.uint8) for i in range(2)]
    out = ClipDataPreprocessor(mean=(0, 0, 0), std=(1, 1, 1))(dict(inputs=clips, data_samples=[]))['inputs']
    assert out.shape == (6, 2, 3, 4, 4)
    assert out[:, 0, 0, 0, 0].tolist() == [0, 0, 0, 1, 1, 1]


def test_split_key_frames_of_one_frame():
    with pytest.raises(ValueError, match=r'T=1 .*Sample 4 frames \(num_segments or clip_len in the pipelines\)\.$'):
        split_key_frames(torch.zeros(1, 1, 3, 32, 32), 4)


def test_preprocessor_names_the_shapes_that_differ():
    clips = [torch.zeros(1, 8, s, 32, 3, dtype=torch.uint8) for s in (32, 40)]
    with pytest.raises(ValueError, match=r'\(1, 8, 32, 32, 3\), \(1, 8, 40, 32, 3\).*End the pipeline with a crop'):
        ClipDataPreprocessor()(dict(inputs=clips, data_samples=[]))


@pytest.mark.parametrize('training', [True, False])
def test_step_batch_norm_is_batch_norm_called_step_by_step(training):
    torch.manual_seed(0)
    ours, theirs = StepBatchNorm2d(5).double().train(training), nn.BatchNorm2d(5).double().train(training)
    for norm in (ours, theirs):
        nn.init.uniform_(norm.weight, generator=torch.Generator().manual_seed(1))
        nn.init.uniform_(norm.bias, generator=torch.Generator().manual_seed(2))
    x = torch.randn(3, 4, 5, 6, 6, dtype=torch.float64)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    for _ in range(2):  # two calls: the running statistics move twice
        y, z = ours(a), torch.stack([theirs(step) for step in b])
    torch.testing.assert_close(y, z, rtol=0, atol=1e-12)
    for name, buffer in theirs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(name), buffer, rtol=0, atol=1e-12)
    y.square().sum().backward()
    z.square().sum().backward()
    torch.testing.assert_close(a.grad, b.grad, rtol=0, atol=1e-10)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-10, atol=0)


def test_folding_time_follows_the_memory():
    conv, x = nn.Conv2d(3, 4, 3), torch.randn(2, 5, 3, 8, 8)
    y, z = per_step(conv, x), per_step(conv, x.transpose(0, 1).contiguous().transpose(0, 1))
    assert y.shape == (2, 5, 4, 6, 6) and y.is_contiguous() and z.transpose(0, 1).is_contiguous()
    torch.testing.assert_close(y, z)
    assert per_step(conv, x, batch_major=True).transpose(0, 1).is_contiguous()
