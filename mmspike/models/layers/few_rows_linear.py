"""A linear layer for what goes on token by token."""
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

PANEL = 128
"""Outputs of a panel: its weights lie together, input by input, as a matrix product of few rows reads them."""
FEW = range(3, 33)
"""Rows for which panels pay: one is a product with a vector; many take their time to multiply, not to read."""


class FewRowsLinear(nn.Linear):
    """``nn.Linear``, faster on the CPU for a handful of rows where :func:`weights_in_panels` is in force.

    Shape:
        ``[..., in_features]`` -> ``[..., out_features]``.
    """

    panels: Tensor | None = None  # [out_features / PANEL, in_features, PANEL]

    def forward(self, x: Tensor) -> Tensor:
        if self.panels is None:
            return super().forward(x)
        rows = x.reshape(-1, self.in_features)
        y = torch.baddbmm(self.bias.view(-1, 1, PANEL), rows.expand(len(self.panels), *rows.shape), self.panels)
        return y.transpose(0, 1).reshape(*x.shape[:-1], self.out_features)


@contextmanager
def weights_in_panels(module: nn.Module, rows: int) -> Iterator[None]:
    """Inside, the :class:`FewRowsLinear` of a module read a copy of their weights that is laid out for few rows.

    Reading the weights is all the work there. As ``nn.Linear`` keeps them, the matrix product lays them out anew in
    each call; in panels, 8 rows take three quarters of its time. The copy takes as long as three such calls. It ends
    with the context, so that weights may change outside.

    Args:
        module: nothing happens to what of it is not on the CPU, or has a number of outputs that panels do not divide.
        rows: of the inputs to come; nothing happens where they are not few.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, FewRowsLinear) and rows in FEW
              and layer.weight.device.type == 'cpu' and layer.out_features % PANEL == 0]
    try:
        for layer in layers:
            layer.panels = layer.weight.view(-1, PANEL, layer.in_features).transpose(1, 2).contiguous()
        yield
    finally:
        for layer in layers:
            layer.panels = None
