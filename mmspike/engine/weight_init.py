"""ImageNet weights for an image backbone, from torchvision, an address or a local file."""
import difflib
import os
from collections import OrderedDict

from mmengine.dist import barrier
from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.runner.checkpoint import get_torchvision_models
from torch import nn

from mmspike.registry import WEIGHT_INITIALIZERS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, load_checkpoint_file, weights_of
from mmspike.utils.compat import fetch

_TORCHVISION = 'torchvision://'
_CLASSIFIERS = ('fc.', 'head.')
_ADVICE = ('Give the weights as a local file: checkpoint=FILE in this init_cfg (for the ANN of ReSpike '
           '--cfg-options model.backbone.ann.init_cfg.checkpoint=FILE), or train from scratch: init_cfg=None '
           '(--cfg-options model.backbone.ann.init_cfg=None).')


@WEIGHT_INITIALIZERS.register_module()
class ImageNetWeights:
    """Loads the weights of an ImageNet classifier into the backbone that carries this ``init_cfg``.

    Takes files of torchvision and of mmpretrain: the prefix ``backbone.`` goes, the classifier is left out, all else
    must fit to the last tensor. mmengine's ``Pretrained`` takes what fits and warns. In a list of initialisers it
    goes last.

    Args:
        checkpoint: ``torchvision://resnet50.default``, an http(s) address, or a local file.

    Raises:
        CheckpointError: the file cannot be fetched or read, or is not one of this backbone.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def __call__(self, module: nn.Module) -> None:
        state_dict = weights_of(load_checkpoint_file(_local_file(self.checkpoint)), self.checkpoint)
        weights = OrderedDict((name.removeprefix('backbone.'), value) for name, value in state_dict.items()
                              if not name.startswith(_CLASSIFIERS))
        difference = compare_state_dict(module, weights)
        if difference:
            raise CheckpointError(f'{self.checkpoint} does not fit the {type(module).__name__} that carries this '
                                  f'init_cfg:\n  {difference}\nGive the weights of the same architecture (depth).')
        module.load_state_dict(weights, strict=False)
        protect(module, self.checkpoint)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, f'ImageNetWeights: loaded from {self.checkpoint}')
        print_log(f'{type(module).__name__}: {difference.matched} tensors from {self.checkpoint}', 'current')


def protect(module: nn.Module, checkpoint: str) -> None:
    """Keeps the rest of the module's ``init_weights``, in the midst of which this runs, off the loaded values.

    mmengine goes on to the children unless they say that they are initialised, and backbones (ResNet's residual
    norms, the positions of transformers) redraw some of their own unless the type is literally 'Pretrained'.
    """
    module.init_cfg = dict(type='Pretrained', checkpoint=checkpoint)
    for part in module.modules():
        if part is not module and hasattr(part, 'init_weights'):
            part.is_init = True


def _local_file(source: str) -> str:
    url = _torchvision_url(source.removeprefix(_TORCHVISION)) if source.startswith(_TORCHVISION) else source
    if not url.startswith(('http://', 'https://')):
        if not os.path.isfile(os.path.expanduser(url)):
            raise CheckpointError(f'{url}: no such file of ImageNet weights. {_ADVICE}')
        return url
    try:
        try:
            if os.environ.get('LOCAL_RANK', '0') == '0':
                fetch(url)
        finally:
            barrier()  # one process of a machine downloads, the others find the file
        return fetch(url)
    except OSError as error:
        raise CheckpointError(f'{source}: the ImageNet weights cannot be fetched from {url} ({error}). '
                              f'{_ADVICE}') from error


def _torchvision_url(name: str) -> str:
    urls = get_torchvision_models()
    if name not in urls:
        near = difflib.get_close_matches(name, urls, n=5)
        raise CheckpointError(f'{_TORCHVISION}{name}: torchvision has no such weights. Near: {", ".join(near)}.')
    return urls[name]
