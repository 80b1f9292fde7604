"""The Spikingformer backbone: shapes, options, errors, a still image, folding, compilation, and life in mmpretrain."""
import copy

import pytest
import torch
from mmengine import Config
from mmengine.registry import MODELS as ROOT
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from torch import nn

from mmspike.analysis import SpikeRecorder
from mmspike.models import Spikingformer
from mmspike.models.layers import batch_norm as norms
from mmspike.models.layers.pooling import max_pool
from mmspike.utils.fold_batchnorm import fold_batchnorm

SMALL = dict(embed_dims=16, depth=2, num_heads=4)


def small(**kwargs) -> Spikingformer:
    """A small network of float64 in which all neurons fire now and then."""
    torch.manual_seed(0)
    model = Spikingformer(**dict(dict(arch=SMALL, num_steps=3), **kwargs)).double()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.weight, 2.5, 0.25)
            nn.init.normal_(module.bias, 1.0, 0.25)
            nn.init.uniform_(module.running_var, 1.0, 1.25)
    return model


@pytest.fixture
def image():
    return torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(('width', 'parameters'), [(384, 16_828_312), (512, 29_705_768), (768, 66_363_208)])
def test_parameter_counts(width, parameters):
    with torch.device('meta'):
        model = Spikingformer(f'8-{width}')
    unused, head = 8 * 2 * 2 * width, (width + 1) * 1000  # published: two layer norms per block, and the classifier
    assert sum(p.numel() for p in model.parameters()) == parameters - unused - head


def test_maps_of_every_stage(image):
    maps = small(out_indices=(0, 1, 2, 3, -1))(image)
    shapes = [tuple(y.shape) for y in maps]
    assert shapes == [(2, 4, 16, 24), (2, 8, 8, 12), (2, 16, 4, 6), (2, 16, 2, 3), (2, 16, 2, 3)]
    early = small(out_indices=(1, 3))(image)
    assert torch.equal(early[0], maps[1]) and torch.equal(early[1], maps[3])


@pytest.mark.parametrize('mode', [True, False], ids=['train', 'eval'])
def test_a_still_image_is_the_sequence_of_its_copies(image, mode):
    results = []
    for inputs in (image, image.expand(3, *image.shape)):
        model = small(num_steps=3).train(mode)
        y = model(inputs)[-1]
        y.square().sum().backward()
        results.append([y.detach(), *(p.grad for p in model.parameters()), *model.buffers()])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_a_sequence_brings_its_own_length(image):
    model = small(num_steps=3).eval()
    frames = torch.stack([image, image.flip(-1), image, image * 2, image])
    with torch.no_grad(), SpikeRecorder(model) as recorder:
        model(frames)
    assert all(len(rate) == 5 for rate in recorder.rates.values()) and len(recorder.rates) == 4 + 2 * 5


@pytest.mark.parametrize('neuron', [dict(type='ParametricLIF'), dict(type='IF'),
                                    dict(type='SpikingJellyNeuron', node='LIFNode')], ids=lambda n: n['type'])
def test_any_neuron(image, neuron):
    model = small(neuron=neuron, attn_neuron=neuron)
    model(image)[-1].square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_called_twice_it_answers_the_same(image):
    model = small().eval()
    with torch.no_grad():
        assert torch.equal(model(image)[-1], model(image)[-1])


def test_frozen_stages(image):
    model = small(frozen_stages=1).train()
    before = copy.deepcopy(model.state_dict())
    model(image)[-1].square().sum().backward()
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    learnt = {name for name, p in model.named_parameters() if p.grad is not None}
    assert moved and learnt and all(name.startswith('blocks.1.') for name in moved | learnt)
    assert not model.tokenizer.training and model.blocks[1].training


@pytest.mark.parametrize(('kwargs', 'message'), [
    (dict(arch='8-382'), "arch='8-382' is not one of .*'8-384'"),
    (dict(arch=dict(embed_dims=16, depth=1)), r"arch has \['depth', 'embed_dims'\]; it needs .*num_heads"),
    (dict(arch=dict(embed_dims=20, depth=1, num_heads=4)), 'embed_dims=20 must be a multiple of 8'),
    (dict(arch=dict(embed_dims=16, depth=1, num_heads=3)), 'of num_heads=3'),
    (dict(arch=SMALL, out_indices=(5,)), r'out_indices=\(5,\) must be some of'),
    (dict(arch=SMALL, frozen_stages=3), r'frozen_stages=3 must be -1 .* up to 2'),
    (dict(arch=SMALL, num_steps=0), 'num_steps=0 must be at least 1'),
])
def test_settings_that_cannot_be(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Spikingformer(**kwargs)


@pytest.mark.parametrize(('shape', 'message'), [
    ((2, 3, 100, 60), r'multiples of 16, got \[2, 3, 100, 60\].*resize to 96x48'),
    ((2, 4, 32, 32), r'expected \[B, 3, H, W\].*got \[2, 4, 32, 32\]'),
    ((3, 32, 32), r'got \[3, 32, 32\]'),
])
def test_inputs_that_do_not_fit(shape, message):
    with pytest.raises(ValueError, match=message):
        small()(torch.zeros(shape))


def test_folding_for_inference(image):
    model = small(out_indices=(2, -1))
    folded = fold_batchnorm(model, torch.zeros(1, 3, 16, 16).double())
    assert not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in folded.modules())
    with torch.no_grad():
        for a, b in zip(model.eval()(image), folded(image), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)
            assert a.abs().sum() > 0


def test_compiled_as_one_graph(image):
    arch = dict(SMALL, depth=3)
    results = []
    for compiled in (False, True):
        model = small(arch=arch)
        run = torch.compile(model, fullgraph=True, backend='aot_eager') if compiled else model
        y = run(image)[-1]
        y.square().sum().backward()
        results.append([y.detach(), *(p.grad for p in model.parameters()), *model.buffers()])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-7)  # gradients of biases before a norm are 0, to rounding


def test_statistics_over_processes_see_the_copies(image, monkeypatch):
    """A synchronised norm counts for itself, so it is given all copies; so is one with a hook."""
    seen = []
    model = small(num_steps=3)
    model.tokenizer.norms[0].register_forward_hook(lambda _, inputs, y: seen.append(tuple(inputs[0].shape)))
    hooked = model(image)[-1]
    assert seen == [(6, 2, 32, 48)]
    torch.testing.assert_close(hooked, small(num_steps=3)(image)[-1], rtol=1e-9, atol=1e-9)


def test_one_value_per_channel_is_torchs_error():
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        norms.batch_norm(nn.BatchNorm1d(4), torch.zeros(1, 4))


@pytest.mark.parametrize(('size', 'dtype'), [
    ((6, 7), torch.int16), ((256, 256), torch.int16), ((300, 300), torch.int32)])
def test_pooling_is_torchs(size, dtype):
    x = torch.randint(0, 2, (2, 3, *size), generator=torch.Generator().manual_seed(0)).double()
    x = x.contiguous(memory_format=torch.channels_last)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, z = max_pool(a), nn.functional.max_pool2d(b, 3, 2, 1)
    assert torch.equal(y, z) and [t.dtype for t in y.grad_fn.saved_tensors] == [dtype]
    weight = torch.randn(y.shape, dtype=y.dtype)
    (y * weight).sum().backward()
    (z * weight).sum().backward()
    assert torch.equal(a.grad, b.grad)  # most windows have several ones: the gradient goes to the first


CONFIG = """
default_scope = 'mmpretrain'
model = dict(
    type='ImageClassifier',
    backbone=dict(type='mmspike.Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=4), num_steps=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=5, in_channels=16, loss=dict(type='CrossEntropyLoss')))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-2))
"""


def test_mmpretrain_trains_it():
    from mmengine.optim import build_optim_wrapper
    cfg = Config.fromstring(CONFIG, '.py')
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        import mmspike  # noqa: F401  (so that the prefix is known)
        model = ROOT.build(cfg.model)
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        before = copy.deepcopy(model.state_dict())
        samples = [DataSample().set_gt_label(label) for label in (1, 4)]
        data = dict(inputs=[torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)] * 2, data_samples=samples)
        losses = model.train_step(data, optimizer)
    assert type(model).__module__.startswith('mmpretrain') and losses['loss'] > 0
    still = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    assert not {name for name in still if not name.endswith('bias')}
