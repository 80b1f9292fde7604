"""A linear layer for what goes on token by token."""
import torch
from torch import Tensor, nn

FEW = 32


class FewRowsLinear(nn.Linear):
    """``nn.Linear``, faster on the CPU for a handful of rows, where reading the weights is all the work.

    ``W x^T`` reads them as they lie in memory; ``x W^T``, which torch computes, takes a fifth longer with 8 to 32 rows.

    Shape:
        ``[..., in_features]`` -> ``[..., out_features]``, contiguous.
    """

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[:-1].numel()
        if x.device.type != 'cpu' or not 1 < rows <= FEW:
            return super().forward(x)
        y = torch.addmm(self.bias[:, None], self.weight, x.reshape(rows, -1).t())  # [out, rows]
        return y.t().reshape(*x.shape[:-1], -1).contiguous()
