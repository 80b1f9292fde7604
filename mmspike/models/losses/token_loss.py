"""Cross-entropy of the tokens of a sequence of attributes."""
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mmspike.codecs.attribute_sequence import FIRST, PAD
from mmspike.registry import MODELS

from .ratio_weighted import RatioWeighted


@MODELS.register_module()
class TokenLoss(RatioWeighted):
    """Cross-entropy of what comes next, mean over all tokens of a batch that are there; padding is left out.

    Weighted: with r the share of positives of an attribute in the training set, its token weighs ``exp(1 - r)`` and
    that of its absence ``exp(r)``, so that the rarer answer counts more; the end weighs 1. Divided by the weights.

    Args:
        weighted: whether to.
        positive_ratio: r of each attribute; None takes them from the training set (``PositiveRatioHook``).

    Shape:
        logits ``[B, L, V]`` and targets ``[B, L]`` -> scalar; 0, with a gradient of 0, where all targets are padding.

    Raises:
        ValueError: called before the ratios are known, or with those of another number of attributes.

    Source: SequencePAR (arXiv 2312.01640); the weights are those of DeepMAR (ACPR 2015).
    Differs: a batch without any target gives NaN in the published code, which also offers weights that it never uses.
    """

    def __init__(self, weighted: bool = False, positive_ratio: Sequence[float] | None = None) -> None:
        super().__init__(positive_ratio, weighted)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits = logits if logits.dtype == torch.float64 else logits.float()
        weights = logits.new_ones(logits.shape[-1])
        if self.weighted:
            weights[FIRST:] = self._weights(logits.shape[-1] - FIRST).to(logits)
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), weights, ignore_index=PAD, reduction='sum')
        total = weights[targets.masked_select(targets != PAD)].sum()
        return losses / total.clamp(min=torch.finfo(logits.dtype).tiny)

    def _weights(self, phrases: int) -> Tensor:
        """Of the tokens of attributes and, where there are as many again, of their absences."""
        absences = self.positive_ratio is not None and phrases == 2 * len(self.positive_ratio)
        ratio = self.known_ratio(phrases // (2 if absences else 1))
        return torch.cat([torch.exp(1 - ratio), torch.exp(ratio)]) if absences else torch.exp(1 - ratio)
