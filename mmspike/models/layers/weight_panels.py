"""Copies of weights, laid out for products of a few rows, of which reading the weights is all the work.

A product of few rows lays the weights of ``nn.Linear`` out anew in each call; panels are as it wants them. With 8 rows
a layer takes three quarters of its time; making the copies takes as long as about fifteen calls gain.
"""
from collections.abc import Iterable

import torch
from torch import Tensor, nn

PANEL = 128
"""Outputs of a panel: their weights lie together, input by input."""
FEW = range(3, 33)
"""Rows for which panels pay: one or two read fast as it is, many take their time to multiply, not to read."""

Panels = dict[nn.Linear, Tensor]  # [out_features / PANEL, in_features, PANEL]


def panels_of(layers: Iterable[nn.Linear], rows: int) -> Panels:
    """Panels of those layers that gain from them.

    Args:
        layers: with bias. One of half precision, on another device than the CPU, or whose outputs panels do not divide
            has none.
        rows: of the inputs to come. Where they are not few there are none, nor under autocast, which would cast them
            in each call.
    """
    if rows not in FEW or torch.is_autocast_enabled('cpu'):
        return {}
    return {layer: layer.weight.view(-1, PANEL, layer.in_features).transpose(1, 2).contiguous()
            for layer in layers if layer.weight.device.type == 'cpu' and layer.out_features % PANEL == 0
            and layer.weight.dtype in (torch.float32, torch.float64)}


def linear(layer: nn.Linear, x: Tensor, panels: Panels) -> Tensor:
    """``layer(x)``, from its panels where there are some.

    Shape:
        ``[..., in_features]`` -> ``[..., out_features]``.
    """
    if layer not in panels:
        return layer(x)
    rows, weight = x.reshape(-1, layer.in_features), panels[layer]
    y = torch.baddbmm(layer.bias.view(-1, 1, PANEL), rows.expand(len(weight), *rows.shape), weight)
    return y.transpose(0, 1).reshape(*x.shape[:-1], layer.out_features)
