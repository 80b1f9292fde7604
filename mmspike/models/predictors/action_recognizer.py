"""Action recognition from clips."""
import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor

from mmspike.registry import MODELS


@MODELS.register_module()
class ActionRecognizer(BaseModel):
    """clip -> backbone -> head -> logits | loss | predictions.

    Args:
        backbone: config; maps ``[B, T, 3, H, W]`` to ``[B, n, C, h, w]`` (``ReSpike``).
        head: config (``ActionHead``).
        data_preprocessor: config (``ClipDataPreprocessor``).
        max_test_clips: so many clips go through the backbone at a time in ``'predict'`` mode; a video tested with
            30 views needs no more memory than that.
        init_cfg: mmengine's.

    Shape:
        normalised clips ``[B, T, 3, H, W]`` -> logits ``[B, K]``.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 data_preprocessor: dict | None = None,
                 max_test_clips: int = 16,
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(MODELS.build(data_preprocessor or dict(type='ClipDataPreprocessor')), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        self.max_test_clips = max_test_clips

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None, mode: str = 'tensor'):
        """Run the model on normalised clips.

        Args:
            inputs: ``[B, T, 3, H, W]``; in ``'predict'`` mode ``[B*V, T, 3, H, W]``, V views per sample.
            data_samples: one per sample, with ``gt_labels`` in ``'loss'`` mode.
            mode: ``'tensor'`` gives logits ``[B, K]``, ``'loss'`` a dict of losses, ``'predict'`` the samples with
                ``pred_scores`` and ``pred_labels``.
        """
        if mode == 'tensor':
            return self.head(self.backbone(inputs))
        if mode == 'loss':
            return self.head.loss(self.backbone(inputs), data_samples)
        if mode == 'predict':
            features = torch.cat([self.backbone(clips) for clips in inputs.split(self.max_test_clips)])
            return self.head.predict(features, data_samples)
        raise ValueError(f"ActionRecognizer: mode is {mode!r}; expected 'tensor', 'loss' or 'predict'.")
