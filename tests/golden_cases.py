"""Cases of the original implementations: rebuild the weights by their rule, compare within their tolerances."""
import zlib
from pathlib import Path

import numpy as np
import torch


def load_case(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """The case, and its state dict under the published names (float32 values)."""
    case = torch.load(path, weights_only=True)
    rule = {'respike': _respike}[case['rule']['name']]
    state_dict = {name: rule(name, shape, case['salt']).to(getattr(torch, dtype.split('.')[-1]))
                  for name, shape, dtype in case['keys']}
    check = case['checks']['weights']
    total = sum(float(value.double().sum()) for value in state_dict.values())
    assert len(state_dict) == check['tensors'] and abs(total - check['sum']) <= 1e-9 * check['abs_sum']
    return case, state_dict


def fill_respike(name: str, shape: tuple[int, ...], salt: str = '') -> torch.Tensor:
    return _respike(name, shape, salt)


def _respike(name: str, shape: tuple[int, ...], salt: str) -> torch.Tensor:
    draw = np.random.RandomState(zlib.crc32((name + salt).encode()))
    leaf = name.rpartition('.')[2]
    if leaf == 'num_batches_tracked':
        value = np.zeros(shape)
    elif leaf == 'running_var':
        value = 1 + 0.2 * draw.random_sample(shape)
    elif leaf in ('running_mean', 'bias'):
        value = 0.1 * draw.standard_normal(shape)
    elif len(shape) == 1:
        value = 1 + 0.1 * draw.standard_normal(shape)
    else:
        spiking = ('.conv' in name and 'snn_backbone.layer' in name) or name.startswith('blk')
        value = (2.5 if spiking else 1) * draw.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


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
