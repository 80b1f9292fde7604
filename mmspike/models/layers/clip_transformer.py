"""What the two towers of CLIP have in common: their sizes and their Transformer, under the names of its checkpoints."""
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmspike.utils.checkpoint import CheckpointError
from mmspike.utils.lookup import did_you_mean, nearest


@dataclass(frozen=True)
class Tower:
    """Size of a tower.

    Args:
        width: of its tokens.
        layers: number of them.
        heads: of each.
        output_dims: width of the space that both towers share.
        patch_size: of an image tower; text has no patches.
        mlp_dims: width inside the MLP of a layer; 0 stands for 4 times ``width``.
    """
    width: int
    layers: int
    heads: int
    output_dims: int
    patch_size: int = 0
    mlp_dims: int = 0


VISION = {
    'ViT-B/32': Tower(768, 12, 12, 512, 32),
    'ViT-B/16': Tower(768, 12, 12, 512, 16),
    'ViT-L/14': Tower(1024, 24, 16, 768, 14),
    'ViT-H/14': Tower(1280, 32, 16, 1024, 14),
}
TEXT = {
    'ViT-B/32': Tower(512, 12, 8, 512),
    'ViT-B/16': Tower(512, 12, 8, 512),
    'ViT-L/14': Tower(768, 12, 12, 768),
    'ViT-H/14': Tower(1024, 24, 16, 1024),
}


class QuickGELU(nn.Module):
    """``x sigmoid(1.702 x)``, the activation of OpenAI's weights."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


ACTIVATIONS = dict(quick_gelu=QuickGELU, gelu=nn.GELU)


def tower(arch: str | Mapping, known: Mapping[str, Tower], owner: str) -> Tower:
    """The size that a config asks for.

    Raises:
        ValueError: no such name, or sizes that are not those of a tower; says which exist.
    """
    if isinstance(arch, Mapping):
        sizes = [one.name for one in fields(Tower) if one.name != 'patch_size' or known is VISION]
        if set(sizes) - {'mlp_dims'} <= set(arch) <= set(sizes):
            return Tower(**arch)
        raise ValueError(f'{owner}: arch is a dict of {", ".join(arch)}; expected {", ".join(sizes)} (the last may be '
                         'left out).')
    if arch not in known:
        raise ValueError(f'{owner}: arch is {arch!r}; expected one of {", ".join(map(repr, known))}, or a dict of '
                         f'width, layers, heads, output_dims and patch_size.{did_you_mean(nearest(arch, known))}')
    return known[arch]


def refuse_other_size(state_dict: Mapping[str, Tensor], prefix: str, size: Tower, known: Mapping[str, Tower],
                      option: str) -> None:
    """Checks that weights are those of a tower of this size, before anything of them is used.

    Args:
        state_dict: of a whole model.
        prefix: of the tower's names in it.
        size: of the tower that is to take them.
        known: sizes by name, to tell which one the weights are of.
        option: of the config, that says the size.

    Raises:
        CheckpointError: another width, depth, patch, MLP or projection, or no norm before an image tower; says both,
            and what to set.
    """
    own = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
    telling = ['positional_embedding', 'transformer.resblocks.0.mlp.c_fc.weight',
               *(('proj', 'conv1.weight') if size.patch_size else ('text_projection',))]
    if any(name not in own or own[name].ndim < 2 for name in telling):
        return  # not of a CLIP: loading says what is missing
    table, inside, projection, *patches = (own[name].shape for name in telling)
    layers = len({match[1] for match in map(_BLOCK.match, own) if match})
    found = Tower(table[1], layers, 0, projection[1], patches[0][-1] if patches else 0, inside[0])
    if found != _seen(size):
        name = next((repr(name) for name, one in known.items() if found == _seen(one)),
                    'dict(width=..., layers=..., heads=..., output_dims=..., patch_size=..., mlp_dims=...)')
        raise CheckpointError(f'{option}: the weights are of a CLIP of {_told(found)}, the model is one of '
                              f'{_told(_seen(size))}. Set {option}={name}, or give the file of the model that is '
                              'meant.')
    if size.patch_size and 'ln_pre.weight' not in own:
        raise CheckpointError(f'{option}: the weights are of a CLIP without a norm before its layers (ln_pre), which '
                              'cannot be loaded: give the file of a model that has it, as all of OpenAI have.')


_BLOCK = re.compile(r'transformer\.resblocks\.(\d+)\.')


def _seen(size: Tower) -> Tower:
    """What weights show of a size."""
    return replace(size, heads=0, mlp_dims=size.mlp_dims or 4 * size.width)


def _told(size: Tower) -> str:
    return (f'width {size.width}, {size.layers} layers' + (f', patches of {size.patch_size}' if size.patch_size else '')
            + (f', {size.mlp_dims} wide inside' if size.mlp_dims != 4 * size.width else '')
            + f', projected to {size.output_dims}')


class ClipBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``.

    Shape:
        ``[B, N, D]`` -> the same.
    """

    def __init__(self, size: Tower, activation: str) -> None:
        super().__init__()
        width, inside = size.width, size.mlp_dims or 4 * size.width
        self.attn = nn.MultiheadAttention(width, size.heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(
            c_fc=nn.Linear(width, inside), act=ACTIVATIONS[activation](), c_proj=nn.Linear(inside, width)))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class ClipTransformer(nn.Module):
    """The blocks of one tower.

    Args:
        size: of the tower.
        activation: ``'quick_gelu'``, that of OpenAI's weights, or ``'gelu'``, that of most others of open_clip.
        with_cp: keep the inputs of the blocks only, and compute them again for the gradient: less memory, more time.

    Shape:
        ``[B, N, D]``, and a mask ``[N, N]`` that is added to the attention -> ``[B, N, D]``.

    Source: CLIP (arXiv 2103.00020).
    Differs: nothing.
    """

    def __init__(self, size: Tower, activation: str = 'quick_gelu', with_cp: bool = False) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f'ClipTransformer: activation is {activation!r}; expected one of '
                             f'{", ".join(map(repr, ACTIVATIONS))}.')
        self.with_cp = with_cp
        self.resblocks = nn.ModuleList(ClipBlock(size, activation) for _ in range(size.layers))
        spread = size.width**-0.5  # initial values as CLIP's own, which keep a deep stack of residuals quiet
        for block in self.resblocks:
            nn.init.normal_(block.attn.in_proj_weight, std=spread)
            nn.init.normal_(block.attn.out_proj.weight, std=spread * (2 * size.layers)**-0.5)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * size.width)**-0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=spread * (2 * size.layers)**-0.5)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            if self.with_cp and torch.is_grad_enabled():
                x = checkpoint(block, x, mask, use_reentrant=False)
            else:
                x = block(x, mask)
        return x
