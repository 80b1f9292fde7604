"""Small registered components of every kind, for the tests of the config check."""
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, HOOKS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS, TRANSFORMS
from torch import nn

from mmspike.utils.config_check import ConfigError, check_config

SGD = dict(type='SGD', lr=0.1)


@MODELS.register_module()
class TinyNeuron(nn.Module):
    def __init__(self, tau=2.0, v_reset=0.0):
        super().__init__()


@MODELS.register_module()
class TinyNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5):
        super().__init__()


@MODELS.register_module()
class TinyNet(nn.Module):
    def __init__(self, width, neuron=dict(type='TinyNeuron'), norm=None, blocks=None, arch=None,  # noqa: B006
                 options=dict(size=1), kind=dict(type='plain'), init_cfg=None):  # noqa: B006
        super().__init__()
        self.norm = MODELS.build(dict(norm, num_features=width))


@MODELS.register_module()
class TinyChild(TinyNet):
    def __init__(self, *args, depth=1, **kwargs):
        super().__init__(*args, options=dict(size=depth), **kwargs)


@MODELS.register_module()
class TinyWholesale(nn.Module):
    """Keeps whatever it is given, as hooks and wrappers do."""

    def __init__(self, width=1, **kwargs):
        super().__init__()
        self.others = kwargs


@MODELS.register_module()
class TinyDeaf(nn.Module):
    """Takes any argument and reads one of them."""

    def __init__(self, **kwargs):
        super().__init__()
        self.width = kwargs.get('width', 1)


@MODELS.register_module()
def tiny_net(width, depth=1):
    return TinyNet(width)


@TRANSFORMS.register_module()
class TinyCrop:
    def __init__(self, input_size, scales=(1,)):
        pass


@DATASETS.register_module()
class TinyVideos(BaseDataset):
    def __init__(self, ann_file, seed=0, **kwargs):
        super().__init__(ann_file=ann_file, **kwargs)


@HOOKS.register_module()
class TinyHook(Hook):
    def __init__(self, every=1):
        pass


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TinyPairConstructor:
    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        pass


def loader(pipeline=(), **changes):
    return dict(dict(batch_size=2, sampler=dict(type='DefaultSampler', shuffle=True),
                     dataset=dict(type='TinyVideos', ann_file='a.txt', pipeline=list(pipeline))), **changes)


def problems(cfg):
    try:
        check_config(cfg)
    except ConfigError as error:
        return error.problems
    return []
