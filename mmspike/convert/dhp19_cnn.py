"""The CNN of DHP19, trained with Keras."""
from collections.abc import Mapping

from torch import Tensor

LAYERS = ('conv1', 'conv2a', 'conv2b', 'conv2d', 'conv3a', 'conv3b', 'conv3c', 'conv3d', 'conv3_up', 'conv4a', 'conv4b',
          'conv4c', 'conv4d', 'conv4_up', 'conv5a', 'conv5d', 'pred_cube')


def dhp19_cnn(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published weights of DHP19's CNN under our names.

    Keras keeps kernels as [H, W, in, out], those of transposed convolutions as [H, W, out, in].

    Args:
        weights: by their names in the file of Keras, ``conv1/conv1/kernel:0`` and the like.

    Returns:
        A state dict for ``PoseEstimator(backbone=CalabreseCNN)``, as in ``configs/hybrid_pose/calabrese_dhp19.py``.

    Raises:
        ValueError: where layers are missing or unknown.
    """
    kernels = {name.split('/')[0]: value for name, value in weights.items() if name.endswith('kernel:0')}
    missing, unknown = set(LAYERS) - set(kernels), set(kernels) - set(LAYERS)
    if missing or unknown:
        raise ValueError(f'convert.dhp19_cnn: missing layers {sorted(missing)}, unknown layers {sorted(unknown)}. '
                         'Expected the 17 layers of the published CNN of DHP19, conv1 to pred_cube.')
    return {f'backbone.{name}.weight': _kernel(name, kernels[name]) for name in LAYERS}


def _kernel(name: str, kernel: Tensor) -> Tensor:
    # torch: [out, in, H, W], and [in, out, H, W] of a transposed convolution; the same axes of the Keras kernel
    if kernel.ndim != 4:
        raise ValueError(f'convert.dhp19_cnn: the kernel of {name} has the shape {list(kernel.shape)}, expected 4 '
                         'axes.')
    return kernel.permute(3, 2, 0, 1).contiguous()
