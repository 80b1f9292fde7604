"""The published figures that can be counted again, and agreement with another counter."""
import json

import numpy as np
import pytest
import torch
from golden_cases import fill
from mmengine import Config
from torch import nn

from mmspike.analysis.energy import OperationCounter
from mmspike.analysis.energy.conventions import CONVENTIONS
from mmspike.apis import init_model
from mmspike.convert import spikingformer
from mmspike.registry import MODELS

SPIKINGFORMER = next(c for c in CONVENTIONS if c.name == 'Spikingformer')


def dense(config, shape, **options):
    """What a model of a config does, without its values: nothing is computed."""
    model = init_model(config, cfg_options=options).to('meta')
    with OperationCounter(model) as counter:
        model(torch.empty(shape, device='meta'), mode='tensor')
    return counter.take(shape[0])


def test_spikingformers_own_count(golden, root):
    """``snnpar_energy.json``: per layer, in operations, and in mJ, by the published script on a small model."""
    published = json.loads((golden / 'units/snnpar_energy.json').read_text())
    sizes = published['config']
    cfg = Config.fromfile(root / 'configs/_base_/models/spikingformer_8-768_attributes.py')
    arch = dict(_delete_=True, embed_dims=64, depth=2, num_heads=8, mlp_ratio=4)
    cfg.merge_from_dict({'model.backbone.arch': arch, 'model.backbone.num_steps': sizes['T'],
                         'model.head.num_attributes': 26, 'model.head.in_channels': 64})
    model = MODELS.build(cfg.model).eval()
    keys = torch.load(golden / 'units/snnpar_backbone.pt', weights_only=True)['keys']
    model.load_state_dict(spikingformer(fill(keys, dict(name='snnpar'))))
    images = np.random.RandomState(95).standard_normal((4, 3, 64, 64)).astype(np.float32)
    model.double()  # in float32, another order of additions flips spikes
    with OperationCounter(model) as counter:
        model(torch.from_numpy(images).double())
    account = counter.take(4)
    figures = SPIKINGFORMER.of(account, still=4)
    assert figures['macs'] == pytest.approx(published['gmac'] * 1e9, rel=1e-12)
    assert figures['acs'] == pytest.approx(published['gac'] * 1e9, rel=1e-7)
    assert figures['energy_mj'] == pytest.approx(published['energy_mJ'], rel=1e-7)

    def rate(name):
        return published['per_layer_total_ac_mac_ratepct'][name][3] / 100

    layers = account.layers
    for i in range(1, 5):
        layer = layers[f'backbone.tokenizer.convs.{i}']
        total, acs, _, _ = published['per_layer_total_ac_mac_ratepct'][f'patch_embed.proj{i}_conv']
        assert layer.dense == 4 * total and layer.received[0].kind == 'binary'
        assert layer.dense * layer.received[0].density == pytest.approx(4 * acs, rel=1e-9)
        assert layer.acs < 4 * acs  # at the edges a spike has fewer uses than operations times rate says
    for i in range(2):
        products = [layers[f'backbone.blocks.{i}.attn [{name}]'] for name in ('bmm', 'baddbmm')]
        k, v, q = (x.density for x in (*products[0].received, products[1].received[0]))
        assert [q, k, v] == pytest.approx([rate(f'block.{i}.attn.{name}_lif') for name in 'qkv'], rel=1e-6)
        neurons = account.neurons[f'backbone.blocks.{i}.attn.attn_lif']
        assert neurons.rate == pytest.approx(rate(f'block.{i}.attn.attn_lif'), rel=1e-6)


def test_spikingformer_8_512_needs_0_347_gmac(root):
    """Published log: 0.347329512 G. Ours convolves a still image once; the published script counts it T times."""
    account = dense(root / 'configs/spikingformer/spikingformer_8-512_imagenet.py', (1, 3, 224, 224))
    real = [layer for layer in account.layers.values() if layer.name in ('backbone.tokenizer.convs.0', 'head.fc')]
    assert sum((layer.dense + layer.bias) * (4 if layer.first else 1) for layer in real) == 347_329_512
    assert sum(layer.dense for layer in real) == 86_704_128 + 512_000


# Section 6 of the notes on ReSpike, G per group of frames: ANN, stem, shortcuts, 3x3 of spikes, fusion, all together.
# The published code projects the context's keys and values at each of the S - 1 steps, ours once.
RESPIKE = {
    'r50-s4': ('respike_r50', 4, (4, 2, 1, 1), (4.0871, .0650, .0963, 5.0288, 2.7166, .7130), 11.994),
    'r50-s2': ('respike_r50', 2, (4, 2, 1, 1), (4.0871, .0217, .0321, 1.6763, .9055, .2377), 6.723),
    'r50-s4-nods': ('respike_r50', 4, (None, 1, 1, 1), (4.0871, .0650, .0963, 5.0288, 4.3139, .9249), 13.591),
    'r18-s4': ('respike_r18', 4, (4, 2, 1, 1), (1.8136, .0650, .0963, 5.0288, 2.182, .1783), 9.186),
}


@pytest.mark.parametrize('case', RESPIKE)
def test_the_parts_of_respike(root, case):
    base, stride, pooling, expected, total = RESPIKE[case]
    account = dense(root / f'configs/_base_/models/{base}.py', (1, stride, 3, 224, 224),
                    **{'model.backbone.stride': stride, 'model.backbone.fusion_pooling': pooling})
    parts = dict.fromkeys(('ann', 'stem', 'shortcut', 'spiking', 'fusion', 'context', 'head'), 0.)
    for name, layer in account.layers.items():
        part = ('ann' if '.ann.' in name else 'stem' if '.stem.' in name else 'shortcut' if 'shortcut' in name else
                'spiking' if '.snn.' in name else 'context' if 'cross_attn.to_k' in name or 'cross_attn.to_v' in name
                else 'fusion' if '.fusions.' in name else 'head')
        parts[part] += layer.dense / 1e9
    parts['context'] *= stride - 1
    parts['fusion'] += parts['context']
    found = [parts[name] for name in ('ann', 'stem', 'shortcut', 'spiking', 'fusion', 'context')]
    assert found[:4] == pytest.approx(expected[:4], abs=5.1e-5)
    # These are given with three to four digits; those of the fusion are up to 0.0002 higher than what their shapes give
    assert found[4:] == pytest.approx(expected[4:], abs=2e-4 if base == 'respike_r50' else 5.1e-4)  # 2.182
    assert sum(found[:5]) == pytest.approx(total, abs=1e-3)


def test_the_teacher_of_snn_par_and_the_student(root):
    """Own arithmetic of the notes: 11.55 GMAC; first convolution 679.5 M at T = 8, a block's attention 75.5 M twice."""
    teacher = dense(root / 'configs/_base_/models/vtb_vit-b16.py', (1, 3, 256, 128))
    assert teacher.sum('dense') / 1e9 == pytest.approx(11.55, abs=0.005)
    student = dense(root / 'configs/_base_/models/spikingformer_8-768_attributes.py', (1, 3, 256, 128))
    layers = student.layers
    assert 8 * layers['backbone.tokenizer.convs.0'].dense == 679_477_248
    assert [layers[f'backbone.blocks.0.attn [{name}]'].dense for name in ('bmm', 'baddbmm')] == [75_497_472] * 2
    convs = [layers[f'backbone.tokenizer.convs.{i}'].dense / 1e9 for i in range(1, 5)]
    assert convs == pytest.approx([10.87, 10.87, 10.87, 5.44], abs=0.005)
    block = sum(layer.dense for name, layer in layers.items() if '.blocks.3.' in name and layer.weights)
    assert block / 1e9 == pytest.approx(7.25, abs=0.005)


class TimeNet(nn.Module):
    """Convolutions, linear layers and an attention of spikes; T and B folded."""

    def __init__(self, neuron):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
        self.up, self.fc = nn.ConvTranspose2d(6, 2, 3, stride=2, bias=False), nn.Linear(8, 5)
        self.neuron = neuron

    def fire(self, x, steps=2):
        return self.neuron(x.unflatten(0, (steps, -1))).flatten(0, 1)

    def forward(self, x):
        x = self.fire(self.conv1(x))
        x = self.fire(self.conv2(x))
        tokens = x.flatten(2)  # [T*B, 6, 16]
        y = tokens.bmm(tokens.transpose(1, 2))
        return self.up(x), self.fc(tokens.unflatten(2, (2, 8))), y


def test_agreement_with_spikingjelly():
    """The same multiply-accumulates, accumulates and dense operations as SpikingJelly's ``op_counter``, but for:

    - products with a weight of 0, which it counts with spikes and we do not (there are none here);
    - multiply-accumulates, which it counts dense while ``macs`` are effective: compared with ``dense`` here;
    - a product of two spikes: it adds up the result, which is the number of pairs, as we count;
    - what its MACs and ACs have besides layers (batch norms, sums, element-wise additions) and ours have not: there is
      none in this network but inside the neurons, which it looks into and we do not; hence ``SynOpCounter``.
    """
    pytest.importorskip('spikingjelly')
    from spikingjelly.activation_based.op_counter import DispatchCounterMode, FlopCounter, MACCounter, SynOpCounter

    from mmspike.neurons import LIF
    torch.manual_seed(0)
    model = TimeNet(LIF(tau=1.2, v_threshold=0.4))
    x = torch.randn(6, 3, 8, 8)
    theirs = SynOpCounter(), MACCounter(), FlopCounter()
    with torch.no_grad(), DispatchCounterMode(list(theirs)):
        model(x)
    with OperationCounter(model) as counter:
        model(x)
    account = counter.take(3)
    synops, macs, _ = (each.get_total() for each in theirs)
    assert account.sum('acs') == synops > 0
    assert sum(layer.dense for layer in account.layers.values() if not layer.spiking) == macs > 0


def test_dense_operations_agree_with_torchs_flop_counter(root):
    from torch.utils.flop_counter import FlopCounterMode
    model = init_model(root / 'configs/snn_par/vtb_vit-b16_pa100k.py',
                       cfg_options={'model.head.text_embeddings': None}).to('meta')
    images = torch.empty(2, 3, 256, 128, device='meta')
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        model(images)
    with OperationCounter(model) as counter:
        model(images)
    assert 2 * counter.take(2).sum('dense') == flops.get_total_flops()


POSES = {  # the published models, and our configs of them
    'cnn': 'hybrid_pose_cnn', 'rnn': 'hybrid_pose_rnn', 'snn': 'hybrid_pose_snn',
    'hybrid_cnn_snn': 'hybrid_pose_cnn-snn', 'hybrid_cnn_rnn': 'hybrid_pose_cnn-rnn'}


@pytest.mark.parametrize('name', POSES)
def test_multiply_accumulates_of_the_pose_models(golden, root, name):
    """``hybrid_macs_256.json``: of every convolution, for one frame and one bin of 256x256.

    Two differences in what is computed, not in what comes out: at rest, our ConvLSTMs do not convolve the zeros of
    their hidden maps (so the second bin is counted here), and a 1x1 convolution comes before an enlargement.
    """
    expected = dict(json.loads((golden / 'units/hybrid_macs_256.json').read_text())[name])
    model, counts = init_model(root / f'configs/_base_/models/{POSES[name]}.py').to('meta'), []
    for bins in (1, 2):
        inputs = dict(frames=torch.empty(1, 1, 20, 256, 256, device='meta'),
                      bins=torch.empty(bins, 1, 2, 256, 256, device='meta'))
        with OperationCounter(model) as counter:
            model({part: inputs[part] for part in model.reads})
        counts.append({path: layer.dense for path, layer in counter.take(1).layers.items()})
    first, both = counts
    once = {path: macs for path, macs in first.items() if both[path] == macs}  # what runs once a window
    found = sorted([*once.values(), *(both[path] - macs for path, macs in first.items() if path not in once)])
    if name == 'hybrid_cnn_snn':  # 128 -> 64 channels before the map is enlarged from 64x64 to 128x128
        assert expected['states_4.conv1'] == 128 * 64 * 128**2 == 4 * 128 * 64 * 64**2
        expected['states_4.conv1'] //= 4
    if name == 'rnn':
        both = sum(both.values()) - sum(first.values())
        assert both == sum(expected.values())
        return
    assert found == sorted(expected.values())
