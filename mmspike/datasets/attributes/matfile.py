"""Reads MATLAB files with structs and cells as plain dictionaries, lists and arrays."""
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from .annotation import AnnotationError


def load_mat(path: Path, *variables: str) -> dict[str, Any]:
    """Read a file; structs become dictionaries in the order of their fields, and axes of one element go.

    Raises:
        AnnotationError: The file cannot be read, or lacks one of the variables.
    """
    try:
        content = loadmat(path, simplify_cells=True)
    except NotImplementedError as error:
        raise AnnotationError(f'{path} is a MATLAB 7.3 (HDF5) file, expected an older one as released. In MATLAB: load '
                              "it, and save it with save(..., '-v7')") from error
    except Exception as error:  # scipy raises errors of any kind for damaged files
        raise AnnotationError(f'{path} cannot be read as a MATLAB file ({error}); it may be cut off: get it again') \
            from error
    missing = [name for name in variables if name not in content]
    if missing:
        there = [name for name in content if not name.startswith('__')]
        raise AnnotationError(f'{path} has no variable {" and ".join(missing)}, it has {", ".join(there) or "none"}. '
                              'Is it the file of another data set?')
    return content


def struct_fields(value: Any, count: int, where: str) -> list:
    """The fields of a struct in their order: releases are read by position, as their field names vary.

    Raises:
        AnnotationError: It is no struct, or has fewer fields.
    """
    if not isinstance(value, dict) or len(value) < count:
        found = f'a struct of {len(value)} fields' if isinstance(value, dict) else type(value).__name__
        raise AnnotationError(f'{where} is {found}, expected a struct of at least {count} fields. Is it the file of '
                              'another data set or version?')
    return list(value.values())


def texts(value: Any) -> list[str]:
    """A cell array of strings."""
    return [str(item).strip() for item in cells(value)]


def cells(value: Any) -> list:
    """The elements of a cell array, of which one element alone comes without the array."""
    if isinstance(value, list | tuple):
        return list(value)
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def table(value: Any, num_rows: int) -> np.ndarray:
    """A matrix whose axes of one element are back. **Shape** [num_rows, columns]."""
    array = np.asarray(value)
    if array.ndim == 2 or array.size % max(1, num_rows):
        return array
    return array.reshape(num_rows, -1)
