"""Checkpoints of the hybrid ANN-SNN pose code: CNN, RNN, SNN, and the two hybrids."""
import re
from collections.abc import Mapping

from torch import Tensor

# The order of our names of the membranes that the CNN sets, by the published number
SITES = ('stem', 'down1', 'down2', 'down3', 'residual1', 'residual2', 'up1', 'up2', 'up3')

CNN = ((r'conv([12])(?:_cnn)?', r'conv\1'), (r'conv3(?:_cnn)?', 'head'),
       (r'down(\d)(?:_cnn)?\.conv([12])', r'downs.<\1>.conv\2'),
       (r'up(\d)(?:_cnn)?\.conv([12])', r'ups.<\1>.conv\2'))
RNN = ((r'unetrecurrent\.head\.conv2d', 'head'),
       (r'unetrecurrent\.encoders\.(\d+)\.conv\.conv2d', r'encoders.\1.conv'),
       (r'unetrecurrent\.encoders\.(\d+)\.conv\.norm_layer', r'encoders.\1.norm'),
       (r'unetrecurrent\.encoders\.(\d+)\.recurrent_block\.Gates', r'encoders.\1.lstm.gates'),
       (r'unetrecurrent\.resblocks\.(\d+)\.conv([12])', r'residuals.\1.conv\2'),
       (r'unetrecurrent\.resblocks\.(\d+)\.bn([12])', r'residuals.\1.norm\2'),
       (r'unetrecurrent\.decoders\.(\d+)\.transposed_conv2d', r'decoders.\1.conv'),
       (r'unetrecurrent\.decoders\.(\d+)\.norm_layer', r'decoders.\1.norm'),
       (r'unetrecurrent\.pred\.conv2d', 'readout.conv'), (r'unetrecurrent\.pred\.norm_layer', 'readout.norm'))
SNN = ((r'static_conv(?:\.0|_snn\.conv2d)', 'stem.conv'), (r'static_conv(?:\.1|_snn\.norm_layer)', 'stem.norm'),
       (r'down(\d)(?:_snn)?\.conv\.conv2d', r'downs.<\1>.conv'),
       (r'down(\d)(?:_snn)?\.conv\.norm_layer', r'downs.<\1>.norm'),
       (r'residualBlock(?:\.0|_snn)\.conv([12])', r'residual.conv\1'),
       (r'residualBlock(?:\.0|_snn)\.bn([12])', r'residual.norm\1'),
       (r'up(\d)(?:_snn)?\.conv2d', r'ups.<\1>.conv'), (r'up(\d)(?:_snn)?\.norm_layer', r'ups.<\1>.norm'),
       (r'temporalflat(?:_snn)?\.conv2d', 'readout.conv'), (r'temporalflat(?:_snn)?\.norm_layer', 'readout.norm'))
STATE_NET = (('conv1', 'conv1'), ('norm_layer', 'norm1'), ('conv2', 'conv2'), ('norm_layer2', 'norm2'))


def hybrid_pose(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict of any of the five pose networks under our names.

    Args:
        state_dict: as the published code saves it; a ``module.`` prefix of DataParallel is dropped.

    Returns:
        For the CNN, the RNN and the SNN a state dict of ``PoseEstimator`` with ``PoseUNet``, ``ConvLSTMUNet`` or
        ``SpikingUNet``; for the hybrids one of ``HybridPoseEstimator``, as in ``configs/_base_/models/hybrid_pose_*``.

    Raises:
        ValueError: where a name belongs to none of the five, or the dict lacks a part.
    """
    names = [name.removeprefix('module.') for name in state_dict]
    renames = _tables_of(names)
    converted = {}
    for name, value in zip(names, state_dict.values(), strict=True):
        module, _, leaf = name.rpartition('.')
        ours = next((_renamed(pattern, new, module) for pattern, new in renames if pattern.fullmatch(module)), None)
        if ours is None:
            raise ValueError(f'convert.hybrid_pose: {name!r} is no name of the published CNN, RNN, SNN or one of the '
                             'two hybrids. Is it a checkpoint of another model, or already converted?')
        converted[f'{ours}.{leaf}'] = value
    return converted


def _tables_of(names: list[str]) -> list[tuple[re.Pattern, str]]:
    """Patterns for whichever of the five networks has such names, with the prefixes of our parts."""
    def has(start: str) -> bool:
        return any(name.startswith(start) for name in names)

    if has('conv1_cnn.') and has('unetrecurrent.'):
        sites = {str(i): f'hidden{i - 1}' for i in (1, 2, 3)}
        tables = [('cnn', CNN), ('network', RNN), ('initializer.nets', _state_nets(sites))]
    elif has('conv1_cnn.') and has('static_conv_snn.'):
        sites = {str(i) if i else 'in': site for i, site in enumerate(SITES)}
        tables = [('cnn', CNN), ('network', SNN), ('initializer.nets', _state_nets(sites))]
    elif has('unetrecurrent.'):
        tables = [('backbone', RNN)]
    elif has('static_conv.'):
        tables = [('backbone', SNN)]
    elif has('conv1.') and has('conv3.'):
        tables = [('backbone', CNN)]
    else:
        raise ValueError(f'convert.hybrid_pose: {len(names)} names, but none of conv1*, unetrecurrent* and '
                         'static_conv*, with which a network of the published hybrid pose code begins. Give the state '
                         'dict of a whole published model.')
    return [(re.compile(old), f'{part}.{new}') for part, table in tables for old, new in table]


def _state_nets(sites: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((rf'states_{number}\.{old}', f'{site}.{new}')
                 for number, site in sites.items() for old, new in STATE_NET)


def _renamed(pattern: re.Pattern, new: str, module: str) -> str:
    """Numbers in angle brackets count from 1 in the published names, from 0 in ours."""
    return re.sub(r'<(\d)>', lambda number: str(int(number[1]) - 1), pattern.sub(new, module))
