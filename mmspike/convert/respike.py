"""ReSpike checkpoints."""
import re
from collections.abc import Mapping

from torch import Tensor

# In order; the first pattern that matches a name renames it.
RENAMES = [(re.compile(pattern), new) for pattern, new in (
    (r'^ann_layer0\.0\.', r'backbone.ann.conv1.'),
    (r'^ann_layer0\.1\.', r'backbone.ann.bn1.'),
    (r'^ann_layer([1-4])\.', r'backbone.ann.layer\1.'),
    (r'^snn_backbone\.conv1\.', r'backbone.snn.stem.conv.'),
    (r'^snn_backbone\.bn1\.', r'backbone.snn.stem.norm.'),
    (r'^snn_backbone\.layer([1-4])\.', r'backbone.snn.stages.\1.'),
    (r'^snn_backbone\.fusion([1-4])\.transformer_blocks\.0\.attn1\.', r'backbone.fusions.\1.self_attn.'),
    (r'^snn_backbone\.fusion([1-4])\.transformer_blocks\.0\.attn2\.', r'backbone.fusions.\1.cross_attn.'),
    (r'^snn_backbone\.fusion([1-4])\.transformer_blocks\.0\.ff\.net\.0\.proj\.', r'backbone.fusions.\1.ffn.proj_in.'),
    (r'^snn_backbone\.fusion([1-4])\.transformer_blocks\.0\.ff\.net\.2\.', r'backbone.fusions.\1.ffn.proj_out.'),
    (r'^snn_backbone\.fusion([1-4])\.transformer_blocks\.0\.', r'backbone.fusions.\1.'),
    (r'^snn_backbone\.fusion([1-4])\.', r'backbone.fusions.\1.'),
    (r'^fc\.', r'head.fc.'),
)]
INNER = [(re.compile(pattern), new) for pattern, new in (
    (r'\.bn([12])\.', r'.norm\1.'),
    (r'\.shortcut\.1\.', r'.shortcut.conv.'),
    (r'\.shortcut\.2\.', r'.shortcut.norm.'),
    (r'\.to_out\.0\.', r'.to_out.'),
)]
NUMBERED = re.compile(r'^(backbone\.(?:snn\.stages|fusions)\.)([1-4])\.')


def respike(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published ReSpike state dict under our names.

    Args:
        state_dict: as the published code saves it; a ``module.`` prefix of DataParallel is dropped.

    Returns:
        A state dict for ``ActionRecognizer(backbone=ReSpike(...), head=ActionHead(...))`` of the same depth and
        number of classes, for either fusion mode (a stage without fusion drops its dead weights on loading).

    Raises:
        ValueError: where a name is not ReSpike's, or the dict lacks one of its parts.
    """
    renamed = {_rename(name.removeprefix('module.')): value for name, value in state_dict.items()}
    for part in ('backbone.ann.', 'backbone.snn.', 'backbone.fusions.', 'head.fc.'):
        if not any(name.startswith(part) for name in renamed):
            raise ValueError(f'convert.respike: no weight of {part}* among {len(renamed)} names. Give the state dict '
                             'of a whole published ReSpike model.')
    return {name: _reshape(name, value) for name, value in renamed.items()}


def _rename(name: str) -> str:
    match = next(((pattern, new) for pattern, new in RENAMES if pattern.match(name)), None)
    if match is None:
        raise ValueError(f'convert.respike: {name!r} is no name of a ReSpike checkpoint (ann_layer*, snn_backbone.*, '
                         'fc.*). Is it a checkpoint of another model, or already converted?')
    name = match[0].sub(match[1], name)
    if name.startswith('backbone.ann.'):
        return name  # torchvision's names
    for inner, replacement in INNER:
        name = inner.sub(replacement, name)
    return NUMBERED.sub(lambda m: f'{m[1]}{int(m[2]) - 1}.', name)  # we count stages from 0


def _reshape(name: str, value: Tensor) -> Tensor:
    """Our projections around the attention are linear layers, the published ones 1x1 convolutions."""
    is_projection = re.match(r'^backbone\.fusions\.\d\.proj_(in|out)\.weight$', name)
    return value.flatten(1) if is_projection else value
