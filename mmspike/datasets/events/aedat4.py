"""AEDAT4, the format of the DV software, by the optional package ``aedat``."""
from pathlib import Path

import numpy as np

from .event_array import EVENT, EventFileError, make_events
from .event_file import choose_stream

MAGIC = b'#!AER-DAT4.'


def streams_of(path: str) -> list[str]:
    """Names of the event streams, ``['cam0', ...]`` in the order of their numbers in the file; one alone: ``['']``."""
    return _names(_numbers(_decoder(path)))


def read_aedat4(path: str, stream: str | None) -> tuple[str, np.ndarray, tuple[int, int]]:
    """Name of a stream, its events, and rows and columns of its sensor. Times stay as they are (us since 1970).

    Raises:
        ImportError: The package is not there.
        EventFileError: The package cannot read the file.
    """
    decoder = _decoder(path)
    numbers = _numbers(decoder)
    stream = choose_stream(path, _names(numbers), stream)
    number = numbers[int(stream.removeprefix('cam') or 0)]
    facts, parts = decoder.id_to_stream()[number], []
    try:
        for packet in decoder:
            if packet['stream_id'] == number:
                events = packet['events']
                parts.append(make_events(events['t'], events['x'], events['y'], events['on']))
    except Exception as error:  # the package raises bare exceptions
        raise EventFileError(path, f'after {sum(map(len, parts))} events: {error}; it is cut off or damaged, copy or '
                             'download it again') from None
    return stream, np.concatenate(parts) if parts else np.empty(0, EVENT), (facts['height'], facts['width'])


def _decoder(path: str):
    try:
        from aedat import Decoder
    except ImportError:
        raise ImportError(f'{path} is an AEDAT4 file, which needs the package aedat: pip install aedat') from None
    try:
        return Decoder(Path(path))
    except Exception as error:
        raise EventFileError(path, f'{error}; it is cut off or damaged, copy or download it again') from None


def _names(numbers: list[int]) -> list[str]:
    return [f'cam{k}' for k in range(len(numbers))] if len(numbers) > 1 else [''] * len(numbers)


def _numbers(decoder) -> list[int]:
    return sorted(number for number, facts in decoder.id_to_stream().items() if facts['type'] == 'events')
