"""ImageNet weights for a backbone: from a file, without network, and of another network."""
import urllib.error

import pytest
import torch
from mmengine.model import BaseModule

from mmspike.engine import weight_init
from mmspike.registry import MODELS
from mmspike.utils import compat
from mmspike.utils.checkpoint import CheckpointError


def resnet(checkpoint, depth=18, **settings):
    init_cfg = dict(type='mmspike.ImageNetWeights', checkpoint=str(checkpoint))
    return MODELS.build(dict(type='mmpretrain.ResNet', depth=depth, base_channels=4, stem_channels=4,
                             init_cfg=init_cfg, **settings))


@pytest.fixture(scope='module')
def weights():
    """Of a narrow ResNet-18, all different from their initial values."""
    model = MODELS.build(dict(type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4))
    return {name: torch.rand_like(value.float()) for name, value in model.state_dict().items()}


@pytest.mark.parametrize(('prefix', 'classifier'), [('', 'fc.weight'), ('backbone.', 'head.fc.weight')])
def test_files_of_torchvision_and_mmpretrain_are_loaded_whole(tmp_path, weights, prefix, classifier):
    file = {f'{prefix}{name}': value for name, value in weights.items()} | {classifier: torch.ones(2, 2)}
    torch.save(file if not prefix else dict(state_dict=file), tmp_path / 'weights.pth')

    class Holder(BaseModule):

        def __init__(self):
            super().__init__()
            # by default mmpretrain zeroes the last norm of each block after the initialiser has run
            self.ann = resnet(tmp_path / 'weights.pth', zero_init_residual=True)

    holder = Holder()
    holder.init_weights()
    loaded = holder.ann.state_dict()
    assert all(torch.allclose(loaded[name].float(), value.to(loaded[name].dtype).float())
               for name, value in weights.items())
    assert not any('_params_init_info' in vars(module) for module in holder.modules())


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


def test_a_file_is_fetched_once(monkeypatch, tmp_path, weights):
    fetched = []

    def download(url, path, **_):
        fetched.append(url)
        torch.save(weights, path)

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    assert weight_init.fetch is compat.fetch
    for _ in range(2):
        resnet('https://somewhere/r18.pth').init_weights()
    assert fetched == ['https://somewhere/r18.pth']
