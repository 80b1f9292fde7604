"""What losses share that weigh attributes by how often they are positive."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class RatioWeighted(nn.Module):
    """Keeps the share of positives of each attribute in the training set, which ``PositiveRatioHook`` tells.

    Args:
        positive_ratio: of each attribute; None takes them from the training set.
        weighted: whether the ratios are used at all.
    """

    def __init__(self, positive_ratio: Sequence[float] | None, weighted: bool) -> None:
        super().__init__()
        self.weighted = weighted
        # Of the data, not of the model: kept out of checkpoints
        self.register_buffer('positive_ratio', None, persistent=False)
        if positive_ratio is not None:
            self.set_positive_ratio(positive_ratio)

    @property
    def needs_positive_ratio(self) -> bool:
        """Whether the training set's ratios are still to be told."""
        return self.weighted and self.positive_ratio is None

    def set_positive_ratio(self, ratio: Sequence[float] | Tensor) -> None:
        """Sets the ratio of each attribute.

        Raises:
            ValueError: a ratio outside 0 to 1.
        """
        ratio = torch.as_tensor(ratio, dtype=torch.float64)
        if ratio.ndim != 1 or not bool(((ratio >= 0) & (ratio <= 1)).all()):
            raise ValueError(f'{type(self).__name__}: positive_ratio is {ratio.tolist()}; expected one number from 0 '
                             'to 1 per attribute, the mean of its known labels.')
        self.positive_ratio = ratio

    def known_ratio(self, num_attributes: int) -> Tensor:
        """The ratios, float64 ``[A]``.

        Raises:
            ValueError: nobody has told them, or those of another number of attributes.
        """
        name = type(self).__name__
        if self.positive_ratio is None:
            raise ValueError(f'{name}: the training set\'s ratios of positive labels are not known. Keep '
                             'PositiveRatioHook among the hooks, set loss.positive_ratio=[...] in the config, or turn '
                             'the weights off: loss.weighted=False.')
        if num_attributes != len(self.positive_ratio):
            raise ValueError(f'{name}: {len(self.positive_ratio)} ratios of positive labels for {num_attributes} '
                             'attributes. Give positive_ratio of the very attributes of the head.')
        return self.positive_ratio
