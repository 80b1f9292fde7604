"""Reads a pickle of plain containers, EasyDicts and numpy arrays, and nothing else.

A pickle is a program: ``pickle.load`` runs whatever its author put in. Here each class or function that it names must
be one of a short list of harmless ones; any other is refused by name, before it is looked up.
"""
import codecs
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .annotation import AnnotationError


class Record(dict):
    """Stands in for ``easydict.EasyDict``."""


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """How old protocols write bytes: text in latin-1. Other codecs could do anything."""
    if codecs.lookup(encoding).name != 'iso8859-1':
        raise pickle.UnpicklingError(f'text in the encoding {encoding!r}')
    return text.encode('latin1')


# By what numpy itself names in a pickle: the functions' place differs between its versions
_array, _scalar, _buffer = np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0], np.zeros(1).__reduce_ex__(5)[0]
ALLOWED = {
    ('easydict', 'EasyDict'): Record,
    ('collections', 'OrderedDict'): OrderedDict,
    ('_codecs', 'encode'): _encode,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    **{(f'numpy.{core}.{module}', name): thing for core in ('core', '_core') for module, name, thing in (
        ('multiarray', '_reconstruct', _array), ('multiarray', 'scalar', _scalar),
        ('numeric', '_frombuffer', _buffer))},
    **{(package, name): thing for package in ('builtins', '__builtin__')
       for name, thing in dict(range=range, xrange=range, set=set, frozenset=frozenset, bytes=bytes).items()},
}


class _Unpickler(pickle.Unpickler):

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise _RefusedError(f'{module}.{name}')
        return ALLOWED[module, name]


class _RefusedError(Exception):
    pass


def load_pickle(path: Path) -> Any:
    """Read a pickle.

    Raises:
        AnnotationError: It holds something else than plain containers, EasyDicts and numpy arrays, or is damaged.
    """
    with open(path, 'rb') as file:
        return read_pickle(file, path)


def read_pickle(file: BinaryIO, path: Path) -> Any:
    """As :func:`load_pickle`, from an opened file; the path is for messages."""
    try:
        return _Unpickler(file, encoding='latin1').load()
    except _RefusedError as error:
        raise AnnotationError(f'{path} holds {error}, which is refused: unpickling it could run any code. Expected '
                              'plain containers, EasyDicts and numpy arrays. If you trust the file, load it yourself '
                              'and save what you need of it') from None
    except Exception as error:  # a damaged pickle raises errors of any kind
        raise AnnotationError(f'{path} cannot be read as a pickle ({type(error).__name__}: {error}); it may be cut '
                              'off: get it again') from error
