"""SequencePAR checkpoints, and the CLIP that SequencePAR starts from."""
import re
from collections.abc import Mapping

import torch
from torch import Tensor

TEXT = ('positional_embedding', 'text_projection', 'token_embedding.', 'transformer.', 'ln_final.')
# What no one reads: the norm that SequencePAR skips, what CLIP's own loss needs, and numbers that are no weights
UNUSED = re.compile(r'(visual\.ln_post\.|logit_scale$|logit_bias$|input_resolution$|context_length$|vocab_size$|'
                    r'attn_mask$)')
# Names below decoder., in order; the first pattern that matches a name renames it
DECODER = [(re.compile(pattern), new) for pattern, new in (
    (r'^pos_emb\.weight$', r'positions'),
    (r'^fc\.weight$', r'fc.weight'),
    (r'^layers\.(\d+)\.self_att\.attention\.fc_([qkv])\.', r'layers.\1.self_attn.\2.'),
    (r'^layers\.(\d+)\.enc_att\.attention\.fc_([qkv])\.', r'layers.\1.memory_attn.\2.'),
    (r'^layers\.(\d+)\.self_att\.attention\.fc_o\.', r'layers.\1.self_attn.out.'),
    (r'^layers\.(\d+)\.enc_att\.attention\.fc_o\.', r'layers.\1.memory_attn.out.'),
    (r'^layers\.(\d+)\.self_att\.layer_norm\.', r'layers.\1.self_attn.norm.'),
    (r'^layers\.(\d+)\.enc_att\.layer_norm\.', r'layers.\1.memory_attn.norm.'),
    (r'^layers\.(\d+)\.pwff\.(fc[12])\.', r'layers.\1.ffn.\2.'),
    (r'^layers\.(\d+)\.pwff\.layer_norm\.', r'layers.\1.ffn.norm.'),
)]
JOINED = {'self_attn': 'qkv', 'memory_attn': 'kv'}  # which parts become one layer, of this name
SPECIAL = ('bos_embedding', 'eos_embedding', 'pad_embedding')  # tokens 0, 1 and 2


def sequencepar(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published SequencePAR state dict under our names.

    Args:
        state_dict: of the whole model; or of the decoder alone (``decoder.*``), whose beginning, end and padding are
            the published constants.

    Returns:
        A state dict for ``AttributeRecognizer(backbone=CLIPVision(...), head=SequenceHead(phrases=CLIPPhrases(...),
        codec=dict(mode='legacy')))``; of a decoder alone, what begins with ``head.``. Phrases are not part of published
        checkpoints: they come from the data set or the config.

    Raises:
        ValueError: where a name is not SequencePAR's, or the decoder is missing.
    """
    names = {name.removeprefix('module.'): value for name, value in state_dict.items()}
    converted, special = {}, {}
    for name, value in names.items():
        prefix, _, rest = name.partition('.')
        if name in SPECIAL:
            special[name] = value
        elif prefix == 'clip_model':
            converted |= _clip(rest, value, 'sequencepar')
        elif prefix == 'decoder':
            converted[f'head.decoder.{_decoder(rest)}'] = value
        else:
            raise ValueError(_unknown('sequencepar', name, 'clip_model.*, decoder.*, bos_embedding'))
    if 'head.decoder.fc.weight' not in converted:
        raise ValueError(f'convert.sequencepar: no weight of the decoder (decoder.fc.weight) among {len(names)} names. '
                         'Give the state dict of a whole SequencePAR; for a CLIP alone use the system clip.')
    width = converted['head.decoder.fc.weight'].shape[1]
    constants = (torch.ones(1, width), -torch.ones(1, width), torch.zeros(1, width))
    converted['head.special'] = torch.cat([
        special.get(name, constant).view(1, width) for name, constant in zip(SPECIAL, constants, strict=True)])
    return _join(converted)


def clip(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A CLIP of OpenAI or open_clip -> what a SequencePAR begins its training from (``load_from``).

    Args:
        state_dict: both towers of a ViT, in half or single precision.

    Returns:
        A state dict for ``backbone=CLIPVision(...)`` and, where the config has the text tower, ``CLIPPhrases(...)``, of
        the sizes of the file; the positions of another image size are interpolated on loading.

    Raises:
        ValueError: where a name is not that of such a CLIP, or the image tower is missing.
    """
    names = {name.removeprefix('module.').removeprefix('text.'): value for name, value in state_dict.items()}
    converted = {}
    for name, value in names.items():
        converted |= _clip(name, value.float() if value.is_floating_point() else value, 'clip')
    if 'backbone.conv1.weight' not in converted:
        raise ValueError(f'convert.clip: no weight of an image tower (visual.conv1.weight) among {len(names)} names. '
                         'Give the state dict of a CLIP whose image tower is a ViT.')
    return converted


def _clip(name: str, value: Tensor, system: str) -> dict[str, Tensor]:
    if UNUSED.match(name):
        return {}
    if name.startswith('visual.'):
        name = name.removeprefix('visual.')
        known = ('class_embedding', 'positional_embedding', 'proj', 'conv1.weight', 'ln_pre.', 'transformer.resblocks.')
        if name.startswith(known):
            return {f'backbone.{name}': value}
        raise ValueError(_unknown(system, f'visual.{name}', 'those of a ViT: conv1, class_embedding, transformer'))
    if name.startswith(TEXT):
        return {f'head.phrases.{name}': value}
    raise ValueError(_unknown(system, name, 'visual.*, transformer.*, token_embedding.weight'))


def _decoder(name: str) -> str:
    for pattern, new in DECODER:
        if pattern.match(name):
            return pattern.sub(new, name)
    raise ValueError(_unknown('sequencepar', f'decoder.{name}', 'decoder.layers.*.{self_att,enc_att,pwff}, decoder.fc'))


def _join(names: dict[str, Tensor]) -> dict[str, Tensor]:
    """Queries, keys and values of a layer as one; a memory's keys and values."""
    out = dict(names)
    for name in names:
        match = re.fullmatch(r'(head\.decoder\.layers\.\d+\.(self_attn|memory_attn)\.)([qkv])\.(weight|bias)', name)
        if match and match[3] in (parts := JOINED[match[2]]):
            each = [f'{match[1]}{part}.{match[4]}' for part in parts]
            if missing := [part for part in each if part not in names]:
                raise ValueError(f'convert.sequencepar: {name} is there, {missing[0]} is not (names are those that the '
                                 'published ones become). Give the complete state dict.')
            out.setdefault(f'{match[1]}{parts}.{match[4]}', torch.cat([names[part] for part in each]))
            del out[name]
    return out


def _unknown(system: str, name: str, expected: str) -> str:
    return (f'convert.{system}: {name!r} is no name of such a checkpoint ({expected}). Is it a checkpoint of another '
            'model, or already converted?')
