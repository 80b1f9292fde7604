"""Operators that are no sums of products: what they do to each element, and what they cost in multiplications."""
import re
from math import prod

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten

NORMS = {  # multiply-accumulates per element: scale and shift; where statistics are taken, the squares too
    aten._native_batch_norm_legit_no_training: 1, aten.cudnn_batch_norm: 1, aten.miopen_batch_norm: 1,
    aten.native_batch_norm: 1, aten._native_batch_norm_legit: 1, aten._batch_norm_no_update: 1,
    aten.native_layer_norm: 2, aten.native_group_norm: 2,
}
INTERPOLATIONS = {  # multiply-accumulates per element of the result: its neighbours
    aten.upsample_linear1d: 2, aten.upsample_bilinear2d: 4, aten._upsample_bilinear2d_aa: 4,
    aten.upsample_bicubic2d: 16, aten._upsample_bicubic2d_aa: 16, aten.upsample_trilinear3d: 8,
    aten.grid_sampler_2d: 4, aten._grid_sampler_2d_cpu_fallback: 4, aten.cudnn_grid_sampler: 4, aten.grid_sampler_3d: 8,
}
ACTIVATIONS = {packet for name in ('relu', 'relu_', 'gelu', 'silu', 'silu_', 'sigmoid', 'tanh', 'leaky_relu',
                                   'leaky_relu_', 'hardtanh', 'hardtanh_', 'hardswish', 'elu')
               if (packet := getattr(aten, name, None)) is not None}
MULTIPLICATIONS = ('mul', 'div', 'true_divide', 'addcmul', 'addcdiv', 'lerp', 'square', 'pow')
SUMS_OF_SQUARES = ('var', 'std', 'var_mean', 'std_mean', 'norm', 'linalg_vector_norm')
WITHOUT = re.compile('(?:' + '|'.join((  # move, choose, compare or add; and have no tag that says so
    'cat', 'stack', 'copy', 'to_copy', 'clone', 'contiguous', 'reshape', 'unsafe_view', 'select', 'slice', 'diagonal',
    'split', 'unsafe_split',
    'embedding', 'index', 'unsafe_index', 'gather', 'scatter', 'take', 'masked', 'where', 'unfold', 'im2col', 'col2im',
    'constant_pad', 'reflection_pad', 'replication_pad', 'flip', 'roll', 'repeat', 'pixel_shuffle', 'pixel_unshuffle',
    'channel_shuffle', 'max_pool', 'adaptive_max_pool', 'adaptive_avg_pool', 'avg_pool', 'upsample_nearest',
    'native_dropout', 'softmax', 'log_softmax', 'safe_softmax', 'cumsum', 'sort', 'topk', 'argsort', 'nonzero',
    'unique', 'one_hot', 'sum', 'mean', 'amax', 'amin', 'max', 'min', 'aminmax', 'any', 'all', 'argmax', 'argmin',
    'logsumexp', 'median', 'arange', 'linspace', 'full', 'empty', 'ones', 'zeros', 'new', 'rand', 'randn', 'randint',
    'randperm', 'normal', 'uniform', 'bernoulli', 'fill', 'scalar_tensor', 'eye', 'tril', 'triu', 'lift', 'set',
    'resize', 'local_scalar_dense')) + r')(?:\d?n?d)?(?:_.*)?')


def folded_products(func: OpOverload, out: object) -> int:
    """Multiply-accumulates of a norm or an interpolation, which can be part of a neighbouring layer; else 0."""
    return (NORMS.get(func.overloadpacket, 0) or INTERPOLATIONS.get(func.overloadpacket, 0)) * _elements(out)


def uncounted_products(func: OpOverload, args: tuple, out: object) -> tuple[int, bool]:
    """How many multiplications an operator without a rule may have, and whether it is one that is not known.

    Multiplications of single elements count as multiply-accumulates, although nothing may be added. Of an operator
    that is not known, neither element-wise nor in the list of those without products, each element of its largest
    tensor counts as one: a lower bound, which a report names.
    """
    if func.is_view or torch.Tag.inplace_view in func.tags or not _floating(out):
        return 0, False
    name = func.overloadpacket.__name__.strip('_')
    if name in MULTIPLICATIONS:
        return _elements(out), False
    largest = max(_elements(out), *(y.numel() for y in args if isinstance(y, Tensor)), 0)
    if name in SUMS_OF_SQUARES:
        return largest, False
    if torch.Tag.pointwise in func.tags or WITHOUT.fullmatch(name):
        return 0, False
    return largest, True


def _floating(out: object) -> bool:
    first = out[0] if isinstance(out, tuple | list) and out else out
    return isinstance(first, Tensor) and (first.is_floating_point() or first.is_complex())


def _elements(out: object) -> int:
    first = out[0] if isinstance(out, tuple | list) and out else out
    return prod(first.shape) if isinstance(first, Tensor) else 0
