"""Action recognition from clips."""
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
        init_cfg: mmengine's.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(MODELS.build(data_preprocessor or dict(type='ClipDataPreprocessor')), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None, mode: str = 'tensor'):
        """Run the model on normalised clips.

        Args:
            inputs: ``[B, T, 3, H, W]``; in ``'predict'`` mode ``[B*V, T, 3, H, W]``, V views per sample.
            data_samples: one per sample, with ``gt_labels`` in ``'loss'`` mode.
            mode: ``'tensor'`` gives logits ``[B, K]``, ``'loss'`` a dict of losses, ``'predict'`` the samples with
                ``pred_scores`` and ``pred_labels``.
        """
        features = self.backbone(inputs)
        if mode == 'tensor':
            return self.head(features)
        if mode == 'loss':
            return self.head.loss(features, data_samples)
        if mode == 'predict':
            return self.head.predict(features, data_samples)
        raise ValueError(f"ActionRecognizer: mode is {mode!r}; expected 'tensor', 'loss' or 'predict'.")
