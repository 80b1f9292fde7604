"""What a checkpoint may hold besides tensors: log buffers and numpy numbers of mmengine's Runner, nothing that runs.

``torch.load(weights_only=True)`` refuses every Python object that is not on a list. A checkpoint of mmengine holds
its log history (``HistoryBuffer``, numpy arrays), which is harmless, and pickles four bound methods with it through
``builtins.getattr``, which is not: with a free ``getattr`` a file could reach any function. It is answered here by a
stand-in that knows those four methods only.
"""
import pickle
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

_STATISTICS = ('min', 'max', 'mean', 'current')
# Where numpy 2 keeps these two, and the name under which numpy 1 wrote them into a file
_NUMPY_CORES = ('numpy._core.multiarray', 'numpy.core.multiarray')


def restricted_getattr(owner: Any, name: str) -> Any:
    """Stands in for ``getattr`` while a checkpoint is read: gives the four statistics of a ``HistoryBuffer`` only.

    Raises:
        pickle.UnpicklingError: for any other object or attribute.
    """
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError(f'Unsupported global: GLOBAL getattr({owner!r}, {name!r})')
    return getattr(HistoryBuffer, name)


def allowed_globals() -> list:
    """The list for ``torch.serialization.safe_globals``: what a checkpoint of mmengine's Runner needs."""
    numbers = [type(np.dtype(code)) for code in '?bBhHiIlLqQefd']
    allowed = [HistoryBuffer, np.ndarray, np.dtype, *dict.fromkeys(numbers)]
    for core in _NUMPY_CORES:
        allowed += [(np._core.multiarray._reconstruct, f'{core}._reconstruct'),
                    (np._core.multiarray.scalar, f'{core}.scalar')]
    return [*allowed, (restricted_getattr, 'builtins.getattr')]
