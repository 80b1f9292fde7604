"""VTB checkpoints, and the ImageNet ViT that VTB starts from."""
import re
from collections.abc import Mapping

import torch
from torch import Tensor

# Names after _whole_vit, in order; the first pattern that matches a name renames it.
RENAMES = [(re.compile(pattern), new) for pattern, new in (
    (r'^vit\.(cls_token|pos_embed)$', r'backbone.\1'),
    (r'^vit\.patch_embed\.proj\.', r'backbone.patch_embed.projection.'),
    (r'^vit\.blocks\.(\d+)\.', r'backbone.layers.\1.'),
    (r'^vit\.norm\.', r'head.norm.'),
    (r'^vis_embed$', r'head.image_type'),
    (r'^tex_embed$', r'head.text_type'),
    (r'^(word_embed|bn)\.', r'head.\1.'),
    (r'^weight_layer\.(\d+)\.', r'head.fc.\1.'),
)]
INNER = [(re.compile(pattern), new) for pattern, new in (
    (r'\.norm([12])\.', r'.ln\1.'),
    (r'\.mlp\.fc1\.', r'.ffn.layers.0.0.'),
    (r'\.mlp\.fc2\.', r'.ffn.layers.1.'),
)]
# The classifier of ImageNet, which VTB never calls, and the student of SNN-PAR
UNUSED = re.compile(r'^(vit\.(fc|head|head_dist|pre_logits)\.|snn_model\.)')
PARTS = ('backbone.patch_embed.', 'backbone.layers.', 'head.layer.', 'head.norm.', 'head.fc.', 'head.bn.')


def vtb(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published VTB state dict under our names.

    The last block and the norm of the ViT are stored twice there (``vit.blocks.11`` and ``blocks.0``, ``vit.norm`` and
    ``norm``) and once here, in the head; the linear layers of the attributes become one.

    Args:
        state_dict: of VTB, or of a whole published SNN-PAR model, of which the teacher is taken.

    Returns:
        A state dict for ``AttributeRecognizer(backbone=mmpretrain.VisionTransformer of one layer less, without its
        norm, head=VTBHead(...))``. Sentence embeddings are not part of checkpoints.

    Raises:
        ValueError: where a name is not VTB's, or the dict lacks one of its parts.
    """
    return _converted(_whole_vit(_plain(state_dict)), 'vtb', PARTS)


def vit(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An ImageNet ViT as timm saves it (``jx_vit_base_p16_224``) -> what a VTB begins its training from.

    Args:
        state_dict: of the classifier, which itself is left out.

    Returns:
        A state dict for ``load_from`` in the config of a VTB; what deals with sentences keeps its initial values.

    Raises:
        ValueError: where a name is not that of a ViT, or the dict lacks one of its parts.
    """
    named = {f'vit.{name}': value for name, value in _plain(state_dict).items()}
    return _converted(named, 'vit', PARTS[:4])


def _plain(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix('module.'): value for name, value in state_dict.items()}


def _whole_vit(names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put ``blocks.0`` and ``norm`` where the ViT has them; on loading, the published model takes these of the two."""
    last = _last_block(names)
    whole = {name: value for name, value in names.items() if not name.startswith(('blocks.', 'norm.'))}
    for name, value in names.items():
        if name.startswith('blocks.0.'):
            whole[f'vit.blocks.{last}.{name.removeprefix("blocks.0.")}'] = value
        elif name.startswith('norm.'):
            whole[f'vit.{name}'] = value
        elif name.startswith('blocks.'):
            raise ValueError(f'convert.vtb: {name!r}: expected one block over text and image, blocks.0.')
    return whole


def _last_block(names: Mapping[str, Tensor]) -> int:
    blocks = (re.match(r'vit\.blocks\.(\d+)\.', name) for name in names)
    return max((int(match[1]) for match in blocks if match), default=0)


def _converted(names: dict[str, Tensor], system: str, parts: tuple[str, ...]) -> dict[str, Tensor]:
    last = f'backbone.layers.{_last_block(names)}.'
    converted = {}
    for name, value in names.items():
        if not UNUSED.match(name):
            renamed = _rename(name, system)
            converted[f'head.layer.{renamed.removeprefix(last)}' if renamed.startswith(last) else renamed] = value
    for leaf in ('weight', 'bias'):
        rows = [name for name in converted if re.fullmatch(rf'head\.fc\.\d+\.{leaf}', name)]
        if rows:  # [1, C] and [1] each
            rows.sort(key=lambda name: int(name.split('.')[2]))
            converted[f'head.fc.{leaf}'] = torch.cat([converted.pop(name) for name in rows])
    for part in parts:
        if not any(name.startswith(part) for name in converted):
            raise ValueError(f'convert.{system}: no weight of {part}* among {len(converted)} names. Give the state '
                             f'dict of a whole published {"VTB model" if system == "vtb" else "ViT"}.')
    return converted


def _rename(name: str, system: str) -> str:
    for pattern, new in RENAMES:
        if pattern.match(name):
            name = pattern.sub(new, name)
            for inner, replacement in INNER:
                name = inner.sub(replacement, name)
            return name
    shown = name if system == 'vtb' else name.removeprefix('vit.')
    expected = 'vit.*, blocks.0.*, word_embed.*, weight_layer.*, bn.*' if system == 'vtb' else 'patch_embed.*, blocks.*'
    raise ValueError(f'convert.{system}: {shown!r} is no name of such a checkpoint ({expected}). Is it a checkpoint of '
                     'another model, or already converted?')
