"""What a checkpoint may hold besides tensors: log buffers, numpy numbers, schedules of mmengine; nothing that runs.

``torch.load(weights_only=True)`` refuses every Python object that is not on a list. A checkpoint of mmengine holds
its log history (``HistoryBuffer``, numpy arrays), which is harmless, and with it and with the one-cycle schedule a few
functions, pickled as ``builtins.getattr(class, name)``, which is not: with a free ``getattr`` a file could reach any
function. It is answered here by a stand-in that knows those functions only.
"""
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

# Where numpy 2 keeps these two, and the name under which numpy 1 wrote them into a file
_NUMPY_CORES = ('numpy._core.multiarray', 'numpy.core.multiarray')
_ONE_CYCLE = f'{OneCycleParamScheduler.__module__}.{OneCycleParamScheduler.__qualname__}'


def _one_cycle(*_: Any) -> None:
    """Stands in for the schedule's class, which a file needs only as the first argument of getattr."""
    raise pickle.UnpicklingError(f'Unsupported global: GLOBAL {_ONE_CYCLE}')


class EasyDict:
    """Stands in for ``easydict.EasyDict``, in which OpenPAR's checkpoints hold figures; becomes a plain dict."""

    def __new__(cls, *_: Any) -> OrderedDict:
        return OrderedDict()  # torch fills no other class than this and dict, and this one may have attributes too


_FUNCTIONS = {
    (owner, name): getattr(source, name)
    for owner, source, names in (
        (HistoryBuffer, HistoryBuffer, ('min', 'max', 'mean', 'current')),
        (_one_cycle, OneCycleParamScheduler, ('_annealing_cos', '_annealing_linear')),
    ) for name in names}


def restricted_getattr(owner: Any, name: str) -> Any:
    """Stands in for ``getattr`` while a checkpoint is read; gives the functions that mmengine's own checkpoints name.

    Raises:
        pickle.UnpicklingError: for any other object or attribute.
    """
    try:
        return _FUNCTIONS[owner, name]
    except (KeyError, TypeError):
        raise pickle.UnpicklingError(f'Unsupported global: GLOBAL getattr({owner!r}, {name!r})') from None


def allowed_globals() -> list:
    """The list for ``torch.serialization.safe_globals``: what checkpoints of mmengine and OpenPAR need."""
    numbers = [type(np.dtype(code)) for code in '?bBhHiIlLqQefd']
    allowed = [HistoryBuffer, np.ndarray, np.dtype, *dict.fromkeys(numbers)]
    for core in _NUMPY_CORES:
        allowed += [(np._core.multiarray._reconstruct, f'{core}._reconstruct'),
                    (np._core.multiarray.scalar, f'{core}.scalar')]
    return [*allowed, (_one_cycle, _ONE_CYCLE), (restricted_getattr, 'builtins.getattr'),
            (EasyDict, 'easydict.EasyDict')]
