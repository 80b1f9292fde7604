"""Columns of events: numpy's files (.npy, .npz) and text (.txt, .csv, .tsv).

The columns are t, x, y, p, in this order where nothing names them; names may be those of other tools (timestamp, ts,
pol, polarity, col, row). Times are us; in a text file with a decimal point they are seconds, as in the recordings of
the DAVIS 240C data set. Polarity is what is above 0.
"""
import warnings
from pathlib import Path

import numpy as np

from .event_array import EVENT, EventFileError, make_events

NAMES = dict(t='t', ts='t', time='t', timestamp='t', timestamps='t', x='x', col='x', column='x', y='y', row='y', p='p',
             pol='p', polarity='p', polarities='p', on='p')
ORDER = ('t', 'x', 'y', 'p')
Size = tuple[int, int] | None


def read_npy(path: str) -> np.ndarray:
    """A structured array with fields for t, x, y and p, or a table of four columns; mapped where it is ``EVENT``.

    Raises:
        EventFileError: Truncated, or another content.
    """
    table = _load(path)
    if table.dtype == EVENT and table.ndim == 1:
        return table
    if table.dtype.names:
        return _from_columns(path, {name: table[name] for name in table.dtype.names})
    if table.ndim != 2 or table.shape[1] != 4 or table.dtype.kind not in 'iuf':
        raise EventFileError(path, f'it holds {table.dtype} of the shape {list(table.shape)}, expected fields t, x, y, '
                             'p, or numbers of the shape [N, 4] in the order t, x, y, p')
    return _from_columns(path, dict(zip(ORDER, table.T, strict=True)))


def read_npz(path: str) -> tuple[np.ndarray, Size]:
    """Arrays t, x, y and p, and perhaps ``height`` and ``width``.

    Raises:
        EventFileError: Truncated, or arrays missing or of different lengths.
    """
    with _load(path) as arrays:
        try:
            content = {name: arrays[name] for name in arrays.files}
        except Exception as error:  # zipfile and numpy raise several kinds
            raise EventFileError(path, f'{error}; it is cut off or damaged, copy or download it again') from None
    size = (int(content['height']), int(content['width'])) if {'height', 'width'} <= set(content) else None
    return _from_columns(path, content), size


def read_text(path: str) -> tuple[np.ndarray, Size]:
    """Rows of four numbers, separated by white space, commas or semicolons.

    Before them there may be comments (``#``), a row of names, and a row ``width height``.

    Raises:
        EventFileError: A row that is none, naming its line.
    """
    names, size, skipped, delimiter, seconds = ORDER, None, 0, None, False
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            delimiter = next((mark for mark in ',;' if mark in line), None)
            words = [word.strip() for word in line.split(delimiter)]
            if not line.strip() or line.lstrip().startswith('#'):
                pass
            elif len(words) == 2 and all(word.isdigit() for word in words):
                size = int(words[1]), int(words[0])
            elif not _is_number(words[0]):
                names = [NAMES.get(word.lower().strip('"'), word) for word in words]
            else:
                seconds = '.' in words[names.index('t') if 't' in names else 0]
                break
            skipped += 1
        else:
            raise EventFileError(path, f'there are no events in its {skipped} lines')
    missing = [name for name in ORDER if name not in names]
    if missing:
        raise EventFileError(path, f'its columns are called {", ".join(names)}, and none {" and ".join(missing)}; '
                             'expected t, x, y and p')
    table = _load_text(path, delimiter, skipped, names)
    columns = dict(zip(ORDER, table.T, strict=True))
    columns['t'] = np.round(columns['t'] * 1e6) if seconds else columns['t']
    return _from_columns(path, columns), size


def _load_text(path: str, delimiter: str | None, skipped: int, names: list[str]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            return np.loadtxt(path, np.float64, delimiter=delimiter, skiprows=skipped, ndmin=2,
                              usecols=[names.index(name) for name in ORDER])
        except ValueError as error:
            raise EventFileError(path, f'{str(error).splitlines()[0]} (rows count from 0, after the first {skipped} '
                                 f'lines); expected {len(names)} numbers in each line') from None


def _load(path: str):
    """``np.load`` without running code, mapped."""
    try:
        return np.load(path, mmap_mode='r' if Path(path).suffix == '.npy' else None, allow_pickle=False)
    except Exception as error:  # zipfile, numpy and the system raise several kinds
        raise EventFileError(path, f'{error}; it is cut off, or no file of numpy without objects') from None


def _from_columns(path: str, content: dict[str, np.ndarray]) -> np.ndarray:
    columns = {NAMES[name.lower()]: value for name, value in content.items() if name.lower() in NAMES}
    missing = [name for name in ORDER if name not in columns]
    if missing:
        raise EventFileError(path, f'it has {", ".join(content)}, but nothing for {" and ".join(missing)}; expected t, '
                             'x, y and p')
    lengths = {name: len(columns[name]) for name in ORDER}
    if len(set(lengths.values())) > 1:
        raise EventFileError(path, f'its columns have different lengths, {lengths}')
    for name in ('x', 'y'):
        low, high = (columns[name].min(), columns[name].max()) if lengths[name] else (0, 0)
        if low < 0 or high >= 2 ** 16:
            raise EventFileError(path, f'{name} runs from {low} to {high}, expected pixels from 0; are the columns in '
                                 'the order t, x, y, p?')
    return make_events(*(columns[name] for name in ORDER))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
