"""ImageNet weights for a backbone: from a file, without network, and of another network."""
import urllib.error

import pytest
import torch
from mmengine.model import BaseModule

from mmspike.engine import weight_init
from mmspike.registry import MODELS
from mmspike.utils import compat
from mmspike.utils.checkpoint import CheckpointError

NARROW = dict(type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4)


def resnet(checkpoint, **settings):
    init_cfg = dict(type='mmspike.ImageNetWeights', checkpoint=str(checkpoint))
    return MODELS.build(dict(NARROW, init_cfg=init_cfg, **settings))


def initialised(backbone, checkpoint, *others):
    """The backbone as part of a model that has initialised its weights."""

    class Holder(BaseModule):

        def __init__(self):
            super().__init__()
            loads = dict(type='mmspike.ImageNetWeights', checkpoint=str(checkpoint))
            self.ann = MODELS.build(dict(backbone, init_cfg=[*others, loads] if others else loads))

    holder = Holder()
    holder.init_weights()
    assert not any('_params_init_info' in vars(module) for module in holder.modules())
    return holder.ann


@pytest.fixture(scope='module')
def weights():
    """Of a narrow ResNet-18, all different from their initial values."""
    model = MODELS.build(dict(NARROW))
    return {name: torch.rand_like(value.float()) for name, value in model.state_dict().items()}


@pytest.mark.parametrize(('prefix', 'classifier'), [('', 'fc.weight'), ('backbone.', 'head.fc.weight')])
def test_files_of_torchvision_and_mmpretrain_are_loaded_whole(tmp_path, weights, prefix, classifier):
    file = {f'{prefix}{name}': value for name, value in weights.items()} | {classifier: torch.ones(2, 2)}
    torch.save(file if not prefix else dict(state_dict=file), tmp_path / 'weights.pth')
    loaded = initialised(dict(NARROW), tmp_path / 'weights.pth').state_dict()
    assert all(torch.equal(loaded[name], value.to(loaded[name].dtype)) for name, value in weights.items())


@pytest.mark.parametrize('backbone', [
    dict(NARROW, zero_init_residual=True),  # zeroes the last norm of each block
    dict(type='mmpretrain.SwinTransformer', img_size=32, use_abs_pos_embed=True, out_indices=(1, ),  # in the children
         arch=dict(embed_dims=4, depths=[1, 1], num_heads=[1, 1])),
    dict(type='mmpretrain.VisionTransformer', img_size=32,  # positions, in the backbone itself
         arch=dict(embed_dims=4, num_layers=1, num_heads=1, feedforward_channels=4)),
], ids=lambda cfg: cfg['type'])
def test_loaded_values_survive_what_backbones_draw_after_the_initialiser(tmp_path, backbone):
    state = MODELS.build(backbone).state_dict()
    file = {name: torch.rand_like(value) if value.is_floating_point() else value for name, value in state.items()}
    torch.save(file, tmp_path / 'weights.pth')
    loaded = initialised(backbone, tmp_path / 'weights.pth').state_dict()
    assert [name for name, value in file.items() if not torch.equal(loaded[name], value)] == []


def test_loaded_values_survive_in_a_list_of_initialisers(tmp_path, weights):
    torch.save(weights, tmp_path / 'weights.pth')
    first = dict(type='Constant', layer='Conv2d', val=2.)
    loaded = initialised(dict(NARROW), tmp_path / 'weights.pth', first).state_dict()
    assert torch.equal(loaded['conv1.weight'], weights['conv1.weight'])


def test_weights_of_another_depth_are_an_error(tmp_path, weights):
    torch.save(weights, tmp_path / 'r18.pth')
    with pytest.raises(CheckpointError, match='r18.pth does not fit the ResNet .*') as caught:
        resnet(tmp_path / 'r18.pth', depth=34).init_weights()
    assert 'are missing in the file' in str(caught.value) and 'same architecture' in str(caught.value)


def test_a_missing_file_says_how_to_give_one(tmp_path):
    with pytest.raises(CheckpointError, match='no such file of ImageNet weights') as caught:
        resnet(tmp_path / 'none.pth').init_weights()
    assert '--cfg-options model.backbone.ann.init_cfg=None' in str(caught.value)


def test_without_network_the_error_says_how_to_go_on(monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise urllib.error.URLError('Name or service not known')

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', unreachable)
    with pytest.raises(CheckpointError, match='torchvision://resnet18.default: the ImageNet weights cannot be fetched '
                                              'from https://.*/resnet18-.*') as caught:
        resnet('torchvision://resnet18.default').init_weights()
    assert '--cfg-options model.backbone.ann.init_cfg.checkpoint=FILE' in str(caught.value)
    assert '--cfg-options model.backbone.ann.init_cfg=None' in str(caught.value)


def test_an_unknown_name_of_torchvision_gets_its_neighbours():
    with pytest.raises(CheckpointError, match='Near: resnet18'):
        resnet('torchvision://resnet18.imagenet').init_weights()


def test_a_file_is_fetched_once_from_each_address(monkeypatch, tmp_path, weights):
    fetched = []

    def download(url, path, **_):
        fetched.append(url)
        torch.save(weights, path)

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    assert weight_init.fetch is compat.fetch
    for url in ('https://a/r18.pth', 'https://a/r18.pth', 'https://b/r18.pth', 'https://b/r18-0123abcd.pth'):
        resnet(url).init_weights()
    assert fetched == ['https://a/r18.pth', 'https://b/r18.pth', 'https://b/r18-0123abcd.pth']
    assert (tmp_path / 'hub/checkpoints/r18-0123abcd.pth').is_file()  # named by its hash: torch's own name for it
