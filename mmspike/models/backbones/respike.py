"""ReSpike: key frames through an ANN, residual frames through a spiking network."""
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.models.layers import split_key_frames
from mmspike.registry import MODELS


@MODELS.register_module()
class ReSpike(BaseModule):
    """Hybrid video backbone.

    clip -> key frames -> ``ann`` -> one map per stage ─┐ (context)
         -> residual frames -> ``snn`` stage -> fusion <┘ -> next stage ... -> mean over time
    and both final maps are joined on the channel axis, the ANN's first. Either branch may be left out (None).

    Args:
        ann: config of an image backbone that returns a tuple of maps (``mmpretrain.ResNet``), or None. Its
            ``init_cfg=None`` trains from scratch, from the initialisation that the backbone has by default.
        snn: config of a staged spiking backbone (``SpikingResNet``), or None.
        fusion: config of the fusion after each spiking stage; None joins the two branches at the end only.
        fusion_pooling: per stage, the ``pool`` of its fusion, or None for a stage that is not fused. ``(4, 2, 1, 1)``
            is the published ``--downsample``, ``(None, 1, 1, 1)`` the published default.
        stride: S, frames per group; the first of a group is its key frame. 2 leaves the SNN one time step.

    Shape:
        clip ``[B, T, 3, H, W]``, normalised -> ``[B, n, C, h, w]``, n = T / S, C the sum of both branches' widths.
        T is a multiple of S, H and W are multiples of 32 (of the branches' stride).

    Raises:
        ValueError: for a clip of another length or size; both name the legal ones.

    Source: ReSpike (arXiv 2409.01564).
    Differs: nothing by default; a stage without fusion has no dead weights (those of published checkpoints are
        dropped on loading).
    """

    def __init__(self,
                 ann: dict | None,
                 snn: dict | None,
                 fusion: dict | None = None,
                 fusion_pooling: Sequence[int | None] = (4, 2, 1, 1),
                 stride: int = 4,
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(init_cfg)
        if ann is None and snn is None:
            raise ValueError('ReSpike: ann and snn are both None. Give at least one branch.')
        if fusion is not None and (ann is None or snn is None):
            raise ValueError('ReSpike: a fusion needs both branches. Set fusion=None, or give ann and snn.')
        self.stride = stride
        self.ann = None if ann is None else _build_ann(ann)
        self.snn = None if snn is None else MODELS.build(snn)
        self.fusions = None
        if fusion is not None:
            self.fusions = self._build_fusions(fusion, fusion_pooling)
            self.register_load_state_dict_pre_hook(_drop_unused_fusions)

    def _build_fusions(self, fusion: dict, pooling: Sequence[int | None]) -> nn.ModuleDict:
        """Fusions by stage number, of those stages that have one."""
        spiking, context = self.snn.stage_channels, _stage_channels(self.ann)
        if not len(pooling) == len(spiking) == len(context):
            raise ValueError(f'ReSpike: {len(spiking)} spiking stages, {len(context)} stages of the ANN, but '
                             f'fusion_pooling={tuple(pooling)}. Give one entry per stage, None for no fusion.')
        return nn.ModuleDict({
            str(i): MODELS.build(dict(fusion, in_channels=spiking[i], context_channels=context[i], pool=pool))
            for i, pool in enumerate(pooling) if pool is not None})

    def forward(self, clip: Tensor) -> Tensor:
        self._check_size(clip)
        key, residual = split_key_frames(clip, self.stride)  # [N, 3, H, W], [S-1, N, 3, H, W] with N = B*n
        key_maps, features = (), []
        if self.ann is not None:
            key_maps = self.ann(key)
            features.append(key_maps[-1])
        if self.snn is not None:
            features.append(self._spiking_branch(residual, key_maps).mean(0))
        features = torch.cat(features, dim=1)  # [N, C, h, w]
        return features.unflatten(0, (len(clip), -1))

    def _spiking_branch(self, residual: Tensor, key_maps: Sequence[Tensor]) -> Tensor:
        x = self.snn.stem(residual)
        for i, stage in enumerate(self.snn.stages):
            x = stage(x)
            if self.fusions is not None and str(i) in self.fusions:
                x = self.fusions[str(i)](x, key_maps[i])
        return x  # [S-1, N, C, h, w]

    def _check_size(self, clip: Tensor) -> None:
        divisor = getattr(self.snn, 'size_divisor', 32)
        height, width = clip.shape[-2:]
        if clip.ndim != 5 or height % divisor or width % divisor:
            low = max(divisor, min(height, width) // divisor * divisor)
            raise ValueError(
                f'ReSpike: expected a clip [B, T, 3, H, W] with H and W multiples of {divisor}, got '
                f'{list(clip.shape)}. Both branches halve the frame until one pixel stands for {divisor}: resize or '
                f'crop to {low}, {low + divisor}, ... in the train and test pipelines.')


def _drop_unused_fusions(module: ReSpike, state_dict: dict, prefix: str, *_) -> None:
    """Published checkpoints carry weights for a fusion that the mode without down-sampling never calls."""
    for i in range(len(module.snn.stages)):
        if str(i) not in module.fusions:
            for key in [k for k in state_dict if k.startswith(f'{prefix}fusions.{i}.')]:
                del state_dict[key]


def _build_ann(ann: dict) -> nn.Module:
    """``init_cfg=None`` means no pretrained weights: the backbone's own initialisation, not PyTorch's."""
    return MODELS.build({name: value for name, value in ann.items() if name != 'init_cfg' or value is not None})


@torch.no_grad()
def _stage_channels(backbone: nn.Module) -> list[int]:
    """Channels of each map that an image backbone returns, seen on a blank image."""
    training = backbone.training
    backbone.eval()
    channels = [y.shape[1] for y in backbone(next(backbone.parameters()).new_zeros(1, 3, 64, 64))]
    backbone.train(training)
    return channels
