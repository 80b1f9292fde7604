"""Adaptive feature scale selection."""
import math

import torch
from torch import Tensor, nn


class ScaleSelection(nn.Module):
    """Learned weights of the scales of a pyramid, for each group of attributes.

    Each attribute has a parameter per scale; a group's weights are the softmax of the mean over its attributes, so that
    the groups need not be known when the model is built. All begin equal. :meth:`penalty`, in the loss, makes a group
    choose: without it the weights stay mixed and say little.

    Adam moves each parameter by about the learning rate in a step, whatever its gradient, which suits weights of 0.01
    but would take thousands of steps to turn 1/3 into 0.9. ``gain`` multiplies the parameters, so that they are
    learned that much faster under any schedule.

    Args:
        num_attributes: A.
        num_scales: S.
        gain: factor of the parameters before the softmax.

    Source: SSPNet (arXiv 2312.06049), whose abstract calls the selection adaptive. The published code holds a
        fixed table, and no text at hand defines the learned form: this one follows the abstract alone.
    """

    def __init__(self, num_attributes: int, num_scales: int, gain: float = 10.0):
        super().__init__()
        self.gain = gain
        self.logits = nn.Parameter(torch.zeros(num_attributes, num_scales))

    def forward(self, group: Tensor) -> Tensor:
        """Weights of each group.

        Args:
            group: number of each attribute's group, from 0, ``[A]``.

        Returns:
            Tensor: ``[G, S]``, which sum to 1.
        """
        members = torch.nn.functional.one_hot(group).to(self.logits.dtype)  # [A, G]
        return (self.gain * (members / members.sum(0)).T @ self.logits).softmax(1)

    @staticmethod
    def penalty(weights: Tensor) -> Tensor:
        """Mean entropy of the groups' weights as a share of the highest: 1 if all scales count equally, 0 if one."""
        return -(weights * weights.clamp(min=1e-12).log()).sum(1).mean() / math.log(weights.shape[1])
