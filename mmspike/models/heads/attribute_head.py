"""Attributes of a person from an image's feature map."""
from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmspike.registry import MODELS

from .labels import stack_labels


@MODELS.register_module()
class AttributeHead(BaseModule):
    """Mean over positions, one linear layer, a sigmoid per attribute.

    Args:
        num_attributes: A.
        in_channels: C of the last map.
        dropout: probability, on the pooled features.
        loss: config of the loss, called as ``loss(logits [B, A], labels [B, A])``.
        init_cfg: mmengine's.

    Shape:
        tuple of maps, the last one ``[B, C, h, w]`` (or pooled, ``[B, C]``) -> logits ``[B, A]``.

    Raises:
        ValueError: tokens in place of maps, another number of channels, or of labels, than the head is made for, or no
            labels.

    Source: SNN-PAR (arXiv 2410.07857) and the strong baseline of arXiv 2107.03576.
    Differs: nothing.
    """

    def __init__(self,
                 num_attributes: int,
                 in_channels: int,
                 dropout: float = 0.0,
                 loss: dict = dict(type='WeightedBCELoss'),  # noqa: B006  (a config, never changed)
                 init_cfg: dict | list[dict] | None = dict(type='TruncNormal', layer='Linear', std=0.02)):  # noqa: B006
        super().__init__(init_cfg)
        self.num_attributes, self.in_channels = num_attributes, in_channels
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, num_attributes)
        self.loss_module = MODELS.build(loss)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        last = features[-1]
        if last.ndim not in (2, 4):
            raise ValueError(f'AttributeHead: the last map is {list(last.shape)}, expected [B, C, h, w] or, pooled, '
                             "[B, C]. Of a backbone that gives tokens take the map: out_type='featmap' of mmpretrain's "
                             'VisionTransformer.')
        if last.shape[1] != self.in_channels:
            raise ValueError(f'AttributeHead: the last map is {list(last.shape)}, so C={last.shape[1]}; in_channels is '
                             f'{self.in_channels}. Set model.head.in_channels={last.shape[1]}.')
        return self.fc(self.dropout(last.flatten(2).mean(-1) if last.ndim == 4 else last))

    def loss(self, features: Sequence[Tensor], samples: list[DataSample]) -> dict[str, Tensor]:
        return self.loss_of(self.logits(features, samples), samples)

    def logits(self, features: Sequence[Tensor], samples: list[DataSample]) -> Tensor:
        """Logits ``[B, A]``, for heads that need to know more of a sample than its image."""
        return self(features)

    def loss_of(self, logits: Tensor, samples: list[DataSample]) -> dict[str, Tensor]:
        """``loss`` of logits ``[B, A]`` against the samples' ``gt_score``."""
        labels = stack_labels(samples, self.num_attributes, type(self).__name__).to(logits.device)  # [B, A]
        return dict(loss=self.loss_module(logits, labels))

    def predict(self, features: Sequence[Tensor], samples: list[DataSample]) -> list[DataSample]:
        """Fill each sample's ``pred_score``: the probability of each attribute, ``[A]``."""
        for sample, scores in zip(samples, self.logits(features, samples).float().sigmoid(), strict=True):
            sample.pred_score = scores
        return samples
