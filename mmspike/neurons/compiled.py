"""The compiled back end: the steps as machine code, by the CPU code generator of torch.compile.

    steps.py -> torch.export (rows of any length) -> AOTInductor -> one library per kind, on disk -> called by tiles.py

A kind is settings, dtype and direction; shapes and the number of time steps play no part. Building one takes some
seconds of the C++ compiler, once per machine; loading it takes milliseconds. The libraries lie in ``$MMSPIKE_CACHE``
(default ``~/.cache/mmspike``).
"""
import hashlib
import inspect
import os
import platform
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mmspike.neurons import steps, surrogate, tiles
from mmspike.neurons.settings import NeuronSettings
from mmspike.neurons.steps import backward_steps, forward_steps

SPAN = 4
"""Time steps of one call: the membrane stays in registers, and a remainder takes single steps."""

WIDTH = 2**18
"""Neurons of a tile, per thread: 1 MB rows in fp32 hide what a call costs, and 16 steps of them fit a shared cache."""


class CompilerError(RuntimeError):
    """There is no C++ compiler, or it failed."""


def available() -> bool:
    """Whether there is a C++ compiler."""
    return shutil.which(_compiler()) is not None


def forward(x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """See :mod:`mmspike.neurons.backends`."""
    return tiles.forward(_forward_kernel(settings, x.dtype), _spans(x.shape[0]), WIDTH, x, v, w)


def backward(grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None,
             settings: NeuronSettings) -> tuple[Tensor, Tensor, Tensor | None]:
    """See :mod:`mmspike.neurons.backends`."""
    return tiles.backward(_forward_kernel(settings, x.dtype), _backward_kernel(settings, x.dtype),
                          _spans(x.shape[0]), WIDTH, grad_out, grad_v, x, v, w)


def _spans(steps: int) -> list[slice]:
    whole = steps - steps % SPAN
    return [slice(t, t + SPAN) for t in range(0, whole, SPAN)] + [slice(t, t + 1) for t in range(whole, steps)]


def _forward_kernel(settings: NeuronSettings, dtype: torch.dtype) -> tiles.Kernel:
    # What only the gradient depends on makes no other library.
    settings = replace(settings, detach_reset=False, surrogate='atan', alpha=2.0)

    def kernel(x, v, out, v_final, *decay):
        _library('forward', settings, dtype, len(x))((*x, v, *out, v_final, *decay))
    return kernel


def _backward_kernel(settings: NeuronSettings, dtype: torch.dtype) -> tiles.Kernel:
    def kernel(grad_out, grad_v, x, v, grad_x, *learnt):
        _library('backward', settings, dtype, len(x))((*grad_out, grad_v, *x, v, *grad_x, *learnt))
    return kernel


class _Steps(torch.nn.Module):
    """The steps as a function of a flat list of rows, as a library takes them."""

    def __init__(self, direction: str, settings: NeuronSettings, count: int) -> None:
        super().__init__()
        self.direction, self.settings, self.count = direction, settings, count

    def dtypes(self, dtype: torch.dtype) -> list[torch.dtype]:
        """Of all rows, in order."""
        state, plif = torch.promote_types(dtype, torch.float32), self.settings.kind == 'plif'
        rows = [dtype] * self.count
        if self.direction == 'forward':
            return [*rows, state, *rows, state] + [state] * plif
        return [*rows, state, *rows, state, *rows] + [state, state] * plif

    def forward(self, *rows: Tensor) -> None:
        n, v = self.count, rows[self.count]
        scratch = [torch.empty_like(v) for _ in range(3 * n + 3)]  # none of it is left in the machine code
        if self.direction == 'forward':
            forward_steps(self.settings, scratch, rows[:n], v, rows[n + 1:2 * n + 1], *rows[2 * n + 1:])
        else:
            backward_steps(self.settings, scratch, rows[:n], v, rows[n + 1:2 * n + 1], rows[2 * n + 1],
                           rows[2 * n + 2:3 * n + 2], *rows[3 * n + 2:])


@cache
def _library(direction: str, settings: NeuronSettings, dtype: torch.dtype, count: int) -> Callable:
    steps = _Steps(direction, settings, count)
    path = _folder() / f'{direction}-{settings.kind}-{_key(direction, settings, dtype, count)}.pt2'
    # In a thread of its own the caller's autocast, inference mode and dispatch modes do not reach the tracer.
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(_load_or_build, path, steps, steps.dtypes(dtype)).result()
        except Exception as e:
            raise CompilerError(f'{type(e).__name__}: {e}') from e


def _load_or_build(path: Path, steps: _Steps, dtypes: list[torch.dtype]) -> Callable:
    from filelock import FileLock
    from torch._inductor import aoti_load_package
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix('.lock')):  # the processes of one training build it once
        if not path.exists():
            _build(path, steps, dtypes)
    return aoti_load_package(str(path)).loader.run


def _build(path: Path, steps: _Steps, dtypes: list[torch.dtype]) -> None:
    from torch._inductor import aoti_compile_and_package
    if not available():
        raise FileNotFoundError(f'{_compiler()} is not installed; CXX can name another compiler')
    length = torch.export.Dim('length', min=2)
    rows = tuple(torch.zeros(4096, dtype=dtype) for dtype in dtypes)
    with torch.no_grad():
        program = torch.export.export(steps, rows, dynamic_shapes=(({0: length},) * len(rows),))
    unfinished = path.with_name(f'{os.getpid()}-{path.name}')
    # The number of threads is that of the call, not that of the build.
    aoti_compile_and_package(program, package_path=str(unfinished), inductor_configs={'cpp.dynamic_threads': True})
    unfinished.replace(path)


def _compiler() -> str:
    return (os.environ.get('CXX') or 'g++').split()[0]


def _folder() -> Path:
    return Path(os.environ.get('MMSPIKE_CACHE', '~/.cache/mmspike')).expanduser() / 'neurons'


def _key(*what: object) -> str:
    """Changes with anything that the machine code depends on."""
    sources = [inspect.getsource(module) for module in (steps, surrogate, sys.modules[__name__])]
    return hashlib.sha256(repr((what, sources, torch.__version__, _cpu())).encode()).hexdigest()[:20]


def _cpu() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(('flags', 'Features'))), platform.machine())
