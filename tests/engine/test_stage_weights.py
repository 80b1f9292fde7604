"""Stages of a training: the parts of a hybrid start from the checkpoints of the stages before."""
import pytest
import torch

from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError

CNN = dict(type='PoseUNet', base_channels=2, out_channels=3)
SNN = dict(type='SpikingUNet', base_channels=2, out_channels=3)
SOURCES = dict(stem='stem', down3='down3', up3='up5')


@pytest.fixture
def stages(tmp_path):
    """Checkpoints of two estimators, as a Runner writes them."""
    states = {}
    for name, backbone in (('cnn', CNN), ('snn', SNN)):
        model = MODELS.build(dict(type='PoseEstimator', backbone=backbone))
        model.init_weights()
        states[name] = model.state_dict()
        torch.save(dict(state_dict=states[name], meta={}), tmp_path / f'{name}.pth')
    return states


def hybrid(folder, cnn=CNN, prefix='backbone', skip=('readout',)):
    small = dict(type='Xavier', layer='Conv2d', distribution='normal',
                 override=dict(type='Xavier', name='readout', gain=1e-6, distribution='normal'))
    return MODELS.build(dict(
        type='HybridPoseEstimator',
        cnn=dict(cnn, init_cfg=dict(type='mmspike.StageWeights', checkpoint=str(folder / 'cnn.pth'), prefix=prefix)),
        network=dict(SNN, readout_neuron=None, init_cfg=[
            small, dict(type='mmspike.StageWeights', checkpoint=str(folder / 'snn.pth'), skip=skip)]),
        initializer=dict(type='StateInitializer', sources=SOURCES)))


def test_the_parts_of_a_hybrid_start_from_their_stages(tmp_path, stages):
    model = hybrid(tmp_path)
    model.init_weights()
    loaded = model.state_dict()
    for part, stage in (('cnn', 'cnn'), ('network', 'snn')):
        same = [name for name in loaded if name.startswith(f'{part}.') and 'readout' not in name]
        assert len(same) > 40
        for name in same:
            assert torch.equal(loaded[name], stages[stage][name.replace(part, 'backbone', 1)]), name
    assert 0 < model.network.readout.conv.weight.abs().max() < 1e-5
    assert all('StageWeights' not in str(part.init_cfg) for part in (model.head, model.initializer))


def test_a_part_of_another_width_is_named(tmp_path, stages):
    with pytest.raises(CheckpointError, match=r"cnn.pth, part 'backbone', does not fit the PoseUNet") as caught:
        hybrid(tmp_path, cnn=dict(CNN, base_channels=3)).init_weights()
    assert 'have another shape' in str(caught.value) and 'same base_channels' in str(caught.value)


def test_what_is_not_skipped_has_to_fit(tmp_path, stages):
    with pytest.raises(CheckpointError, match=r'5 of the file are unknown to the model: readout.norm.weight'):
        hybrid(tmp_path, skip=()).init_weights()


def test_an_unknown_part_is_named(tmp_path, stages):
    with pytest.raises(CheckpointError, match=r"no part 'cnn' in it; its parts are backbone. Set prefix"):
        hybrid(tmp_path, prefix='cnn').init_weights()


def test_a_missing_stage_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match=r'cnn.pth: no such checkpoint.*train that first.*or train from scratch'):
        hybrid(tmp_path).init_weights()
