"""Which code runs a neuron: the contract of a back end, and the choice between them.

A back end is a module with two functions, both free of autograd::

    forward(x, v, w, settings) -> (out, v_final)
    backward(grad_out, grad_v, x, v, w, settings) -> (grad_x, grad_v0, grad_w | None)

- ``x`` [T, ...]: fp32, fp16, bf16 or float64, any strides. ``out`` and ``grad_x`` have its dtype and memory order
  (``torch.empty_like`` of a dense ``x``): time folded into the batch and channels-last both stay as they are.
- ``v`` [...]: membrane before the first step, in the dtype of the state (float64 for float64 input, else fp32), any
  strides: it may be one number expanded (all strides 0). ``v_final`` and ``grad_v0``: that dtype, dense, the memory
  order of a step.
- ``w``: for ``kind='plif'`` the parameter with ``1 / tau = sigmoid(w)``, in the dtype of the state, of a shape that
  broadcasts to ``v``: 0-dimensional, or [C, 1, ...] for steps [B, C, ...]. Otherwise ``None``. ``grad_w``: its shape.
- ``grad_out`` [T, ...]: dtype of ``x``, any strides (expanded too); ``grad_v`` [...]: dtype of ``v``, any strides.
- ``settings``: :class:`NeuronSettings`.

Nothing is kept between the two: backward recomputes the membrane from ``x`` and ``v``. The order of the arithmetic is
that of :mod:`mmspike.neurons.reference`, operation by operation, so that the spikes are the same to the last tie.
"""
import contextlib
import logging
import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor

from mmspike.neurons import compiled, tiled
from mmspike.neurons.settings import NeuronSettings

NAMES = ('reference', 'tiled', 'compiled', 'triton')
WORTH_COMPILING = 2**18
"""Input elements of a call from which the CPU compiles by itself: below, the compiler's seconds are not earned back."""


@contextlib.contextmanager
def backend(name: str) -> Iterator[None]:
    """Force a back end for all neurons called inside, of all threads: ``with mmspike.neurons.backend('tiled'): ...``.

    Args:
        name: ``'reference'``: a readable loop, any dtype, differentiable any number of times;
            ``'tiled'``: torch operations on tiles that fit the cache, on any device;
            ``'compiled'``: machine code by torch's CPU code generator, built once per kind of neuron, kept on disk;
            ``'triton'``: CUDA, for fp32, fp16 and bf16;
            ``'auto'``: triton on CUDA; on the CPU compiled for large inputs where a C++ compiler is, otherwise tiled.

    Without it, the environment variable ``MMSPIKE_NEURON_BACKEND`` counts, read at import, and then ``'auto'``. An
    argument ``backend=`` of a neuron comes before both.

    Raises:
        ValueError: unknown name.
    """
    global _forced
    before, _forced = _forced, check_name(name)
    try:
        yield
    finally:
        _forced = before


def check_name(name: str, where: str = 'backend') -> str:
    """``name``, if it is one of a back end or ``'auto'``; otherwise a ValueError that lists them."""
    if name not in (*NAMES, 'auto'):
        near = get_close_matches(str(name), NAMES, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ''
        raise ValueError(f'{where}={name!r} is not known.{hint} Known: auto, {", ".join(NAMES)}.')
    return name


def requested(name: str | None) -> str:
    """What was asked for: by argument, by context or by environment; or ``'auto'``."""
    return _forced if name is None else check_name(name)


def forward(name: str, x: Tensor, v: Tensor, w: Tensor | None, settings: NeuronSettings) -> tuple[Tensor, Tensor]:
    """Run the back end of that name, or choose one."""
    return _run(name, x, lambda module: module.forward(x, v, w, settings))


def backward(name: str, grad_out: Tensor, grad_v: Tensor, x: Tensor, v: Tensor, w: Tensor | None,
             settings: NeuronSettings) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the back end of that name, or choose one: the same as for forward."""
    return _run(name, x, lambda module: module.backward(grad_out, grad_v, x, v, w, settings))


def _run(name: str, x: Tensor, call):
    global _compiler_works
    chosen = _automatic(x) if name == 'auto' else name
    if chosen == 'compiled' and x.device.type != 'cpu':
        raise ValueError(f"backend='compiled' serves the CPU only, but the input is on {x.device}. Use 'triton' there.")
    _log_once(chosen, x.device.type)
    try:
        return call(_module(chosen))
    except compiled.CompilerError as e:
        if name != 'auto':
            raise
        _compiler_works = False
        _log(f"neurons on the CPU: no compiled back end ({str(e).splitlines()[0]}); using 'tiled', about three times "
             'slower', logging.WARNING)
        return call(tiled)


def _automatic(x: Tensor) -> str:
    if x.is_cuda and x.dtype != torch.float64 and _triton_works():
        return 'triton'
    if x.device.type == 'cpu' and x.numel() >= WORTH_COMPILING and _compiler_works:
        return 'compiled'
    return 'tiled'


@cache
def _triton_works() -> bool:
    try:
        _module('triton')
    except ImportError as e:
        _log(f"neurons on CUDA: no triton back end ({e}); using 'tiled', many times slower", logging.WARNING)
        return False
    return True


@cache
def _module(name: str) -> ModuleType:
    return import_module(f'mmspike.neurons.{"triton_kernels" if name == "triton" else name}')


@cache
def _log_once(name: str, device: str) -> None:
    _log(f"neurons on {device}: back end '{name}'", logging.INFO)


def _log(message: str, level: int) -> None:
    from mmengine.logging import print_log
    print_log(message, logger='current', level=level)


_compiler_works = True
_forced = check_name(os.environ.get('MMSPIKE_NEURON_BACKEND') or 'auto', 'MMSPIKE_NEURON_BACKEND')
