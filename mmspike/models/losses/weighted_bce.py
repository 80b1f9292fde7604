"""Binary cross-entropy over attributes that are rare or common to very different degrees."""
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mmspike.registry import MODELS

from .ratio_weighted import RatioWeighted


@MODELS.register_module()
class WeightedBCELoss(RatioWeighted):
    """Binary cross-entropy, weighted by how often an attribute is positive, summed over attributes, mean over images.

    With r the share of positives of an attribute in the training set, a positive label weighs ``exp(1 - r)`` and a
    negative one ``exp(r)``: the rarer answer counts more. Unknown labels (outside 0 to 1, by convention -1) weigh 0.

    Args:
        positive_ratio: r of each attribute; None takes them from the training set (``PositiveRatioHook``).
        weighted: False gives every known label the weight 1; no ratios are needed.
        label_smoothing: s; a label y becomes ``y (1 - s) + (1 - y) s``. The weights go by the label itself.

    Shape:
        logits and labels ``[B, A]`` -> scalar.

    Raises:
        ValueError: called before the ratios are known, or with another number of attributes.

    Source: DeepMAR (ACPR 2015), the weights as in the published SNN-PAR and VTB.
    Differs: unknown labels are left out; the published code computes a loss without lower bound on a label 2. Weights
        are not rounded to float32.
    """

    def __init__(self,
                 positive_ratio: Sequence[float] | None = None,
                 weighted: bool = True,
                 label_smoothing: float = 0.0):
        super().__init__(positive_ratio, weighted)
        if not 0 <= label_smoothing < 0.5:
            raise ValueError(f'WeightedBCELoss: label_smoothing={label_smoothing}; expected 0 or more, below 0.5 '
                             '(from there on a label would be turned round).')
        self.label_smoothing = label_smoothing

    def weights(self, labels: Tensor) -> Tensor:
        """The weight of each label: ``[B, A]`` -> ``[B, A]``."""
        known = (labels >= 0) & (labels <= 1)
        if not self.weighted:
            return known.to(labels.dtype)
        ratio = self.known_ratio(labels.shape[-1]).to(labels)
        return torch.where(labels > 0.5, torch.exp(1 - ratio), torch.exp(ratio)) * known

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        labels = labels.to(logits.dtype if logits.dtype == torch.float64 else torch.float32)
        weights = self.weights(labels)
        targets = labels.clamp(0, 1)
        if self.label_smoothing:
            targets = targets + self.label_smoothing * (1 - 2 * targets)
        losses = F.binary_cross_entropy_with_logits(logits.to(labels.dtype), targets, reduction='none')  # [B, A]
        return torch.where(weights > 0, losses * weights, 0).sum() / len(logits)  # at an unknown label, infinity too
