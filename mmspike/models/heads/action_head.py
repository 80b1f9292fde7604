"""Classification head over the groups and views of a clip."""
import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModule
from mmengine.structures import LabelData
from torch import Tensor, nn

from mmspike.registry import MODELS


@MODELS.register_module()
class ActionHead(BaseModule):
    """Global average pooling, one linear layer per group, mean of the groups' logits.

    Args:
        num_classes: K.
        in_channels: C of the backbone's maps.
        dropout: probability, on the pooled features.
        loss: config of the loss, called as ``loss(logits [B, K], labels [B])``.
        init_cfg: mmengine's; by default the layer keeps PyTorch's initialisation.

    Shape:
        ``[B, n, C, h, w]`` -> logits ``[B, K]``.

    Source: ReSpike (arXiv 2409.01564); the mean over groups is TSN's segmental consensus (arXiv 1608.00859).
    Differs: nothing.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 dropout: float = 0.0,
                 loss: dict = dict(type='mmpretrain.CrossEntropyLoss'),  # noqa: B006  (a config, never changed)
                 init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.num_classes, self.in_channels = num_classes, in_channels
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, num_classes)
        self.loss_module = MODELS.build(loss)

    def group_logits(self, features: Tensor) -> Tensor:
        """Logits of each group: ``[B, n, C, h, w]`` -> ``[B, n, K]``."""
        if features.shape[2] != self.in_channels:
            raise ValueError(f'ActionHead: the backbone gives {features.shape[2]} channels, in_channels is '
                             f'{self.in_channels}. Set model.head.in_channels={features.shape[2]}.')
        return self.fc(self.dropout(features.mean((-2, -1))))

    def forward(self, features: Tensor) -> Tensor:
        return self.group_logits(features).mean(1)

    def loss(self, features: Tensor, samples: list[ActionDataSample]) -> dict[str, Tensor]:
        """``loss``, and the batch's ``top1_acc`` for the log."""
        logits = self(features)
        labels = torch.cat([sample.gt_labels.item for sample in samples]).to(logits.device)
        top1 = (logits.detach().argmax(1) == labels).float().mean()
        return dict(loss=self.loss_module(logits, labels), top1_acc=top1)

    def predict(self, features: Tensor, samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Fill each sample's ``pred_scores`` (class probabilities, mean over its views) and ``pred_labels``.

        Shape:
            features ``[B*V, n, C, h, w]``, the V views of a sample next to one another.
        """
        scores = self(features).float().softmax(-1).unflatten(0, (len(samples), -1)).mean(1)  # [B, K]
        for sample, score in zip(samples, scores, strict=True):
            sample.pred_scores = LabelData(item=score)
            sample.pred_labels = LabelData(item=score.argmax(-1, keepdim=True))
        return samples
