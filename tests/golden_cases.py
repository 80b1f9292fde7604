"""Cases of the original implementations: rebuild the weights by their rule, compare within their tolerances."""
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch


def load_case(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """The case, and its state dict under the published names (float32 values; empty for a case without a model)."""
    case = torch.load(path, weights_only=True)
    state_dict = fill(case['keys'], case['rule'], case['salt']) if case['keys'] else {}
    if state_dict:
        check = case['checks']['weights']
        total = sum(float(value.double().sum()) for value in state_dict.values() if value.is_floating_point())
        assert len(state_dict) == check['tensors'] and abs(total - check['sum']) <= 1e-9 * check['abs_sum']
    return case, state_dict


def fill(keys: list[tuple], rule: dict, salt: str = '') -> dict[str, torch.Tensor]:
    """The weights of ``keys`` (name, shape, dtype) by a rule and its options, all seeded by name and salt.

    ``alias``: names with a prefix are seeded as another name; ``mul``: tensors with a text in their name and so many
    dimensions are multiplied; ``row_mul``: so is one row of one tensor.
    """
    value_of = {'respike': _respike, 'snnpar': _snnpar, 'par': _par,
                'hybrid': partial(_hybrid, gain=rule.get('gain', 1), shift=rule.get('shift', 0))}[rule['name']]
    norms = {name.removesuffix('.running_var') for name, *_ in keys if name.endswith('.running_var')}
    state_dict = {}
    for name, shape, dtype in keys:
        alias = next((other + name.removeprefix(prefix) for prefix, other in rule.get('alias', ())
                      if name.startswith(prefix)), name)
        value = torch.zeros(shape)
        if not name.endswith('num_batches_tracked'):
            value = value_of(name, tuple(shape), zlib.crc32((alias + salt).encode()), norms)
        for text, dimensions, factor in rule.get('mul', ()):
            if text in name and value.ndim >= dimensions:
                value = value * factor
        for target, row, factor in rule.get('row_mul', ()):
            if name == target:
                value[row] *= factor
        state_dict[name] = value.to(getattr(torch, dtype.split('.')[-1]))
    return state_dict


def fill_respike(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    return fill([(name, shape, 'int64' if name.endswith('num_batches_tracked') else 'float32')],
                dict(name='respike'))[name]


def _respike(name: str, shape: tuple[int, ...], seed: int, norms: set[str]) -> torch.Tensor:
    draw = np.random.RandomState(seed)
    leaf = name.rpartition('.')[2]
    if leaf == 'running_var':
        value = 1 + 0.2 * draw.random_sample(shape)
    elif leaf in ('running_mean', 'bias'):
        value = 0.1 * draw.standard_normal(shape)
    elif len(shape) == 1:
        value = 1 + 0.1 * draw.standard_normal(shape)
    else:
        spiking = ('.conv' in name and 'snn_backbone.layer' in name) or name.startswith('blk')
        value = (2.5 if spiking else 1) * draw.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


def _snnpar(name: str, shape: tuple[int, ...], seed: int, norms: set[str]) -> torch.Tensor:
    """Norms scaled and shifted so that neurons fire; everything in float32."""
    draw = np.random.RandomState(seed)
    module, _, leaf = name.rpartition('.')
    if leaf == 'running_var':
        return 1 + 0.25 * torch.from_numpy(draw.random_sample(shape).astype(np.float32))
    z = torch.from_numpy(draw.standard_normal(shape).astype(np.float32))
    if module in norms and leaf in ('weight', 'bias'):
        return {'weight': 2.5, 'bias': 1.0}[leaf] + 0.25 * z
    if leaf in ('cls_token', 'pos_embed', 'vis_embed', 'tex_embed'):
        return 0.5 * z
    if len(shape) != 1:
        return z / np.float32(np.sqrt(np.prod(shape[1:])))
    return 1 + 0.1 * z if leaf == 'weight' else 0.1 * z


def _hybrid(name: str, shape: tuple[int, ...], seed: int, norms: set[str], gain: float, shift: float) -> torch.Tensor:
    """In float64, then rounded; norms scaled and shifted so that neurons fire."""
    draw = np.random.RandomState(seed)
    module, _, leaf = name.rpartition('.')
    if leaf == 'running_var':
        value = 1 + 0.1 * draw.random_sample(shape)
    elif module in norms and leaf == 'weight':
        value = gain * (1 + 0.2 * draw.random_sample(shape))
    elif leaf in ('running_mean', 'bias'):
        value = 0.1 * draw.standard_normal(shape) + (shift if module in norms and leaf == 'bias' else 0)
    else:
        value = draw.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


def _par(name: str, shape: tuple[int, ...], seed: int, norms: set[str]) -> torch.Tensor:
    """Drawn by torch; start, end and padding tokens and the table of positions are constants."""
    constants = {'bos_embedding': 1., 'eos_embedding': -1., 'pad_embedding': 0.}
    constant = next((value for ending, value in constants.items() if name.endswith(ending)), None)
    if constant is not None:
        return torch.full(shape, constant)
    if name.endswith('pos_emb.weight'):
        return _sinusoids(*shape)
    if not shape:
        return torch.tensor(np.log(1 / 0.07), dtype=torch.float32)
    z = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    if name.endswith('running_var'):
        return 1 + 0.2 * z.abs()
    if name.endswith('running_mean'):
        return 0.1 * z
    if len(shape) > 1:
        return z / np.sqrt(z[0].numel())
    return 1 + 0.1 * z if name.endswith('weight') else 0.05 * z


def _sinusoids(positions: int, dim: int) -> torch.Tensor:
    """Sines in even columns, cosines in odd ones, in float32; position 0 is padding."""
    row, column = (torch.arange(n, dtype=torch.float32) for n in (positions, dim // 2))
    angles = row[:, None] / 10000 ** (2 * column / dim)
    table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    table[0] = 0
    return table


def differences(case: dict, got: dict, expected: dict | None = None, path: tuple[str, ...] = ()) -> list[str]:
    """What in ``got`` (nested like the case's outputs) is off by more than the case allows; [] = all equal."""
    expected = case['outputs'] if expected is None else expected
    off = []
    for name, value in got.items():
        where, reference = (*path, name), expected[name]
        if isinstance(reference, dict):
            off += differences(case, value, reference, where)
            continue
        tolerance = next((case['tolerance'][n] for n in reversed(where) if n in case['tolerance']),
                         case['tolerance']['default'])
        value, reference = (torch.as_tensor(y, dtype=torch.float64) for y in (value, reference))
        if value.shape != reference.shape:
            off.append(f'{"/".join(where)}: shape {list(value.shape)}, expected {list(reference.shape)}')
        elif not torch.allclose(value, reference, equal_nan=True, **tolerance):
            off.append(f'{"/".join(where)}: off by {float((value - reference).abs().max()):.3e}')
    return off


class PublishedGradients:
    """Gradients of our parameters, asked for under the published names: joined parameters are taken apart again."""

    def __init__(self, model, state_dict: dict, converter):
        self.names = list(state_dict)
        tags = {name: torch.full(value.shape, float(i)) for i, (name, value) in enumerate(state_dict.items())}
        self.tags, self.model = converter(tags), model

    def norms(self) -> dict[str, torch.Tensor]:
        found = {}
        for ours, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                tag = self.tags[ours]
                for i in tag.unique().int().tolist():
                    found[self.names[i]] = parameter.grad[tag == i].norm()
        return found

    def outputs(self, wanted: dict) -> dict:
        norms = self.norms()
        return dict(grad_norms={name: norms[name] for name in wanted}, n_params_with_grad=len(norms),
                    grad_norm_total=torch.stack(list(norms.values())).norm())
