"""The image tower of CLIP, all of whose tokens are projected into the space that it shares with text."""
from collections.abc import Mapping, Sequence

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmspike.models.layers.clip_transformer import VISION, ClipTransformer, refuse_other_size, tower
from mmspike.registry import MODELS


@MODELS.register_module()
class CLIPVision(BaseModule):
    """image -> patches and a class token -> Transformer -> projection of every token.

    Args:
        arch: ``'ViT-B/32'``, ``'ViT-B/16'``, ``'ViT-L/14'``, ``'ViT-H/14'``, or a dict of ``width``, ``layers``,
            ``heads``, ``output_dims``, ``patch_size`` and, where it is not 4 times ``width``, ``mlp_dims``.
        img_size: side of the image, or height and width; the learned positions of a checkpoint for another size are
            interpolated as it is loaded.
        activation: ``'quick_gelu'`` (weights of OpenAI) or ``'gelu'`` (most others of open_clip).
        with_cp: compute the blocks again for the gradient, instead of keeping what is in them.
        init_cfg: mmengine's.

    Shape:
        ``[B, 3, H, W]`` -> a tuple of one ``[B, 1 + N, C]``, class token first, C = ``output_dims``.

    Raises:
        ValueError: an unknown architecture, or images of another size.
        CheckpointError: weights of another architecture.

    Source: CLIP (arXiv 2103.00020), as SequencePAR uses it.
    Differs: from CLIP, which takes the class token alone, through a norm (``ln_post``) that is not here.
    """

    def __init__(self, arch: str | Mapping = 'ViT-L/14', img_size: int | Sequence[int] = 224,
                 activation: str = 'quick_gelu', with_cp: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        self.size = size = tower(arch, VISION, 'CLIPVision')
        self.img_size = (img_size, img_size) if isinstance(img_size, int) else tuple(img_size)
        self.grid = tuple(side // size.patch_size for side in self.img_size)
        if 0 in self.grid:
            raise ValueError(f'CLIPVision: img_size is {self.img_size}, less than a patch of {size.patch_size}.')
        spread = size.width**-0.5
        self.conv1 = nn.Conv2d(3, size.width, size.patch_size, size.patch_size, bias=False)
        self.class_embedding = nn.Parameter(spread * torch.randn(size.width))
        self.positional_embedding = nn.Parameter(spread * torch.randn(1 + self.grid[0] * self.grid[1], size.width))
        self.register_buffer('position_grid', torch.tensor(self.grid))  # a table of positions does not show it
        self.ln_pre = nn.LayerNorm(size.width)
        self.transformer = ClipTransformer(size, activation, with_cp)
        self.proj = nn.Parameter(spread * torch.randn(size.width, size.output_dims))
        self.register_load_state_dict_pre_hook(_fit_positions)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        if tuple(images.shape[-2:]) != self.img_size:
            raise ValueError(f'CLIPVision: images of {images.shape[-2]}x{images.shape[-1]}, expected '
                             f'{self.img_size[0]}x{self.img_size[1]}. Set model.backbone.img_size='
                             f'"({images.shape[-2]},{images.shape[-1]})", and the positions are interpolated as a '
                             'checkpoint is loaded; or resize the images in the pipelines.')
        x = self.conv1(images).flatten(2).transpose(1, 2)  # [B, N, D]
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)  # [B, 1 + N, D]
        x = self.transformer(self.ln_pre(x + self.positional_embedding))
        return (x @ self.proj,)


def _fit_positions(module: CLIPVision, state_dict: dict, prefix: str, *args) -> None:
    """Learned positions of another grid become those of the module's; of CLIP's checkpoints it is a square."""
    refuse_other_size(state_dict, prefix, module.size, VISION, 'model.backbone.arch')
    table, grid = (state_dict.get(f'{prefix}{name}') for name in ('positional_embedding', 'position_grid'))
    if table is None:
        return
    side = round((len(table) - 1)**0.5)
    rows, columns = (side, side) if grid is None else grid.tolist()
    if rows * columns != len(table) - 1:
        return  # no table of a CLIP's: loading says so
    state_dict[f'{prefix}position_grid'] = module.position_grid
    if (rows, columns) == module.grid:
        return
    old = table[1:].reshape(1, rows, columns, -1).permute(0, 3, 1, 2).float()
    new = F.interpolate(old, module.grid, mode='bicubic', align_corners=False, antialias=True)
    state_dict[f'{prefix}positional_embedding'] = torch.cat([table[:1], new.flatten(2)[0].T.to(table.dtype)])
    print_log(f'CLIPVision: positions of {rows}x{columns} interpolated to {module.grid[0]}x{module.grid[1]}', 'current')
