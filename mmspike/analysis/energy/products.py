"""Operators that are sums of products: which products they have, and how many of them are not with 0.

    aten operator -> its products -> dense: all of them; effective: those whose two factors are not 0, exactly

Nothing is multiplied to know the second number: over the axis that is summed, it is the scalar product of how many
non-zeros the two operands have, and for a convolution a convolution of the non-zeros of the input with how many
outputs each weight serves.
"""
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten


class Product(NamedTuple):
    """One sum of products of an operator.

    Args:
        operands: both; the second of a layer is its weights.
        dense: products.
        effective: gives how many products have no factor 0.
        outputs: sums that leave the operator.
        bias: additions of a bias.
        name: which one, of an operator that has several.
    """

    operands: tuple[Tensor, Tensor]
    dense: int
    effective: Callable[[], int]
    outputs: int
    bias: int = 0
    name: str = ''


def products(func: OpOverload, args: tuple, kwargs: dict, out: Any) -> list[Product] | None:
    """The products of an operator, or None for one that is not known to have any."""
    rule = RULES.get(func.overloadpacket)
    if rule is None:
        return None
    return rule(dict(zip((a.name for a in func._schema.arguments), args, strict=False)) | kwargs, out)


def _convolution(given: dict, out: Tensor) -> list[Product]:
    x, weight, transposed = given['input'], given['weight'], given['transposed']
    dense = (x if transposed else out).numel() * prod(weight.shape[1:])
    geometry = [given[name] for name in ('stride', 'padding', 'dilation', 'transposed', 'output_padding', 'groups')]
    return [Product((x, weight), dense, lambda: _pairs_of_convolution(x, weight, geometry),
                    out.numel(), 0 if given.get('bias') is None else out.numel())]


def _pairs_of_convolution(x: Tensor, weight: Tensor, geometry: list) -> int:
    transposed, groups = geometry[3], geometry[5]
    lit, serves = x != 0, weight != 0
    if bool(serves.all()):  # all channels of a group have the same weights: all 1, for each of its outputs
        outputs = weight.shape[1] if transposed else len(weight) // groups
        lit = lit.unflatten(1, (groups, -1)).sum(2)  # [N, groups, ...]
        kernel = torch.full((groups, 1, *weight.shape[2:]), outputs, device=x.device)
    elif transposed:
        kernel = serves.sum(1, keepdim=True)  # [in, out / groups, ...] -> [in, 1, ...]
    else:
        kernel = serves.unflatten(0, (groups, -1)).sum(1)  # [out, in / groups, ...] -> [groups, in / groups, ...]
    # In float64 whatever the device rounds products to, such as TF32
    return int(torch.convolution(lit.double(), kernel.double(), None, *geometry).sum().round())


def _matrices(first: str, second: str, added: str | None = None) -> Callable:
    """Rule of an operator on ``[..., M, K]`` and ``[..., K, N]``, which may add something."""

    def rule(given: dict, out: Tensor) -> list[Product]:
        a, b = given[first], given[second]
        rows, columns = a if a.ndim > 1 else a[None], b if b.ndim > 1 else b[:, None]
        has_bias = added is not None and given.get('beta', 1) != 0
        if a.ndim == 3 and a.stride(0) == 0:  # one matrix for the whole batch, such as parts of a layer's weights
            a = a[0]
        return [Product((a, b), rows.numel() * columns.shape[-1], lambda: _pairs_of_matrices(rows, columns),
                        out.numel(), out.numel() if has_bias else 0)]

    return rule


def _pairs_of_matrices(a: Tensor, b: Tensor) -> int:
    """Over K: the non-zeros of a column of ``a`` times those of the row of ``b``."""
    return int((torch.count_nonzero(a, -2) * torch.count_nonzero(b, -1)).sum())


def _attention(given: dict, out: tuple) -> list[Product]:
    q, k, v = given['query'], given['key'], given['value']
    pairs = q.numel() // q.shape[-1] * k.shape[-2]

    def heads(y: Tensor) -> Tensor:  # several of q may share one of k and v
        return y.repeat_interleave(q.shape[1] // y.shape[1], 1)

    def attended() -> Tensor:
        pattern = torch.ones(*q.shape[:-1], k.shape[-2], dtype=torch.bool, device=q.device)
        mask = given.get('attn_mask', given.get('attn_bias'))
        if given.get('is_causal'):
            pattern = pattern.tril()
        return pattern if mask is None else pattern & (mask if mask.dtype == torch.bool else mask != -torch.inf)

    return [Product((q, k), pairs * q.shape[-1], lambda: _pairs_of_matrices(q, heads(k).transpose(-1, -2)), 0,
                    name='q k'),
            Product((out[0], v), pairs * v.shape[-1], lambda: _pairs_of_matrices(attended(), heads(v)),
                    out[0].numel(), name='weights v')]


def _weighted_rows(given: dict, out: tuple) -> list[Product]:
    table, rows, shares = given['weight'], given['indices'], given.get('per_sample_weights')
    if shares is None:  # sums of rows, without a factor
        return []
    return [Product((shares, table), rows.numel() * table.shape[1],
                    lambda: int((torch.count_nonzero(table, 1)[rows] * (shares != 0)).sum()), out[0].numel())]


RULES = {
    aten.convolution: _convolution, aten._convolution: _convolution,
    aten.mm: _matrices('self', 'mat2'), aten.bmm: _matrices('self', 'mat2'), aten.mv: _matrices('self', 'vec'),
    aten._int_mm: _matrices('self', 'mat2'),
    aten.dot: _matrices('self', 'tensor'), aten.vdot: _matrices('self', 'other'),
    aten.addmm: _matrices('mat1', 'mat2', 'self'), aten._addmm_activation: _matrices('mat1', 'mat2', 'self'),
    aten.addmv: _matrices('mat', 'vec', 'self'), aten.baddbmm: _matrices('batch1', 'batch2', 'self'),
    aten.addbmm: _matrices('batch1', 'batch2', 'self'),
    aten._embedding_bag: _weighted_rows, aten._embedding_bag_forward_only: _weighted_rows,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention: _attention,
    aten._scaled_dot_product_efficient_attention: _attention,
    aten._scaled_dot_product_cudnn_attention: _attention,
}
