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
    """Size of a tower: width of its tokens, layers, heads, and the width of the space that both towers share."""
    width: int
    layers: int
    heads: int
    output_dims: int
    patch_size: int = 0


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
        sizes = [one.name for one in fields(Tower)][:5 if known is VISION else 4]  # text has no patches
        if set(arch) == set(sizes):
            return Tower(**arch)
        raise ValueError(f'{owner}: arch is a dict of {", ".join(arch)}; expected {", ".join(sizes)}.')
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
        CheckpointError: another width, depth or patch; says both, and what to set.
    """
    table, patches = (state_dict.get(f'{prefix}{name}') for name in ('positional_embedding', 'conv1.weight'))
    if table is None or table.ndim != 2 or (size.patch_size and patches is None):
        return  # not of a CLIP: loading says what is missing
    blocks = re.compile(re.escape(f'{prefix}transformer.resblocks.') + r'(\d+)\.')
    layers = len({match[1] for match in map(blocks.match, state_dict) if match})
    found = Tower(table.shape[1], layers, 0, 0, patches.shape[-1] if patches is not None else 0)
    if found == replace(size, heads=0, output_dims=0):
        return
    name = next((repr(name) for name, one in known.items() if found == replace(one, heads=0, output_dims=0)),
                'dict(width=..., layers=..., heads=..., output_dims=..., patch_size=...)')
    raise CheckpointError(f'{option}: the weights are of a CLIP of {_told(found)}, the model is one of {_told(size)}. '
                          f'Set {option}={name}, or give the file of the model that is meant.')


def _told(size: Tower) -> str:
    return f'width {size.width}, {size.layers} layers' + (f', patches of {size.patch_size}' if size.patch_size else '')


class ClipBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``.

    Shape:
        ``[B, N, D]`` -> the same.
    """

    def __init__(self, width: int, heads: int, activation: str) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(
            c_fc=nn.Linear(width, 4 * width), act=ACTIVATIONS[activation](), c_proj=nn.Linear(4 * width, width)))
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
        self.resblocks = nn.ModuleList(ClipBlock(size.width, size.heads, activation) for _ in range(size.layers))
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
