"""Attributes of persons, one image each."""
from collections.abc import Sequence

from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor

from mmspike.models.necks.build import build_neck
from mmspike.registry import MODELS


@MODELS.register_module()
class AttributeRecognizer(BaseModel):
    """image -> backbone -> neck -> head -> logits | loss | predictions.

    Args:
        backbone: config; maps ``[B, 3, H, W]`` to a tuple of maps ``[B, C, h, w]`` (``Spikingformer``, any image
            backbone of mmpretrain).
        head: config (``AttributeHead``, ``VTBHead``).
        neck: config of a neck, from tuple of maps to tuple of maps, or None.
        data_preprocessor: config; by default images keep their values of 0 to 255.
        init_cfg: mmengine's.

    Shape:
        normalised images ``[B, 3, H, W]`` -> logits ``[B, A]``.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 neck: dict | None = None,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(MODELS.build(data_preprocessor or dict(type='mmpretrain.ClsDataPreprocessor')), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else build_neck(neck, self.backbone)
        self.head = MODELS.build(head)

    def extract_feat(self, inputs: Tensor) -> Sequence[Tensor]:
        """What the head is given: ``[B, 3, H, W]`` -> tuple of maps."""
        features = self.backbone(inputs)
        return features if self.neck is None else self.neck(features)

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """Run the model on normalised images.

        Args:
            inputs: ``[B, 3, H, W]``.
            data_samples: one per image, with ``gt_score`` in ``'loss'`` mode.
            mode: ``'tensor'`` gives logits ``[B, A]``, ``'loss'`` a dict of losses, ``'predict'`` the samples with
                ``pred_score``, probabilities ``[A]``.
        """
        if mode == 'tensor':
            return self.head(self.extract_feat(inputs))
        if mode == 'loss':
            return self.head.loss(self.extract_feat(inputs), data_samples)
        if mode == 'predict':
            return self.head.predict(self.extract_feat(inputs), data_samples)
        raise ValueError(f"AttributeRecognizer: mode is {mode!r}; expected 'tensor', 'loss' or 'predict'.")
