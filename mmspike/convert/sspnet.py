"""SSPNet checkpoints."""
import re
from collections.abc import Mapping

import torch
from torch import Tensor

CLASSIFIERS = ('head', 'mid', 'low', 'all')  # in the order of the published logits
TRUNK = re.compile(r'backbone\.(conv1|bn1|layer[1-4]\.\d+\.(conv\d|bn\d|downsample\.[01]))\.')
# The published pyramid counts from the coarsest level, ours from the finest
RENAMES = [(re.compile(pattern), new) for pattern, new in (
    (r'^backbone\.toplayer\.', 'neck.top.'),
    *((rf'^backbone\.latlayer{3 - i}\.', f'neck.laterals.{i}.') for i in range(3)),
    *((rf'^backbone\.smooth{3 - i}\.', f'neck.smooths.{i}.') for i in range(3)),
    (r'^classifier\.PLEs\.conv\.', 'head.prior.project.'),
    (r'^classifier\.PLEs\.weight_conv\.0\.', 'head.prior.weight.'),
)]
JOINED = re.compile(r'^classifier\.(?:PLEs\.offset_conv\.(?P<point>\d+)|'
                    rf'cls_(?P<group>{"|".join(CLASSIFIERS)})\.(?P<layer>[02]))\.(?P<leaf>\w+)$')


def sspnet(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published SSPNet state dict under our names.

    The convolutions of the offsets become one, and so do the classifiers (with their batch norms): columns in the order
    head, torso, legs, whole body.

    Args:
        state_dict: as the published code saves it; a ``module.`` prefix of DataParallel is dropped.

    Returns:
        A state dict for ``AttributeRecognizer(backbone=mmpretrain.ResNet, neck=SSPNetNeck, head=SSPNetHead(legacy=True,
        groups=...))`` with the groups in that order, as in ``configs/sspnet/sspnet_r50_pa100k_legacy.py``.

    Raises:
        ValueError: where a name is not SSPNet's, or the dict lacks one of its parts.
    """
    converted: dict[str, Tensor] = {}
    joined: dict[str, dict[int, Tensor]] = {}
    for name, value in state_dict.items():
        name = name.removeprefix('module.')
        match = JOINED.match(name)
        if match and match['point']:
            joined.setdefault(f'head.prior.offset.{match["leaf"]}', {})[int(match['point'])] = value
        elif match:
            ours = f'head.{"fc" if match["layer"] == "0" else "norm"}.{match["leaf"]}'
            joined.setdefault(ours, {})[CLASSIFIERS.index(match['group'])] = value
        else:
            converted[_renamed(name)] = value
    for name, parts in joined.items():
        values = [parts[i] for i in sorted(parts)]
        if sorted(parts) != list(range(len(CLASSIFIERS) if 'prior' not in name else len(parts))):
            raise ValueError(f'convert.sspnet: of {name} only the parts {sorted(parts)} are there, expected one for '
                             f'each of {", ".join(CLASSIFIERS)} (or each sampling point). The file is incomplete.')
        converted[name] = values[0] if values[0].ndim == 0 else torch.cat(values)
    missing = [part for part in ('backbone.', 'neck.', 'head.prior.', 'head.fc.')
               if not any(name.startswith(part) for name in converted)]
    if missing:
        raise ValueError(f'convert.sspnet: nothing among {len(state_dict)} names becomes {", ".join(missing)}. Give '
                         'the state dict of a whole published SSPNet model.')
    return converted


def _renamed(name: str) -> str:
    if TRUNK.match(name):
        return name
    for pattern, new in RENAMES:
        if pattern.match(name):
            return pattern.sub(new, name)
    raise ValueError(f'convert.sspnet: {name!r} is no name of a published SSPNet (ResNet-50 to -152 or ResNeXt with '
                     "its pyramid, and the classifier 'SSPNet').")
