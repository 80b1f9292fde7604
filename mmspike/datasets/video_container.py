"""Is a video file as long as its own headers say?

A decoder reads a truncated file to its end and stops without a word, so the file has to be asked. Three families
carry their size: ISO media (mp4, mov, m4v, 3gp: a chain of boxes), RIFF (avi) and EBML (mkv, webm).
"""
import os
from typing import BinaryIO

EBML_HEADER, EBML_SEGMENT = 0x1A45DFA3, 0x18538067


def missing_bytes(path: str) -> int:
    """How many bytes a media file lacks by its own headers; 0 if complete, or if its container carries no size.

    Args:
        path: A file that exists.

    Returns:
        int: Bytes between the end that the headers announce and the end of the file.
    """
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        start = file.read(12)
        file.seek(0)
        if start[:4] == b'RIFF' and start[8:12] == b'AVI ':
            end = _riff_end(file, size)
        elif start[:4] == EBML_HEADER.to_bytes(4, 'big'):
            end = _ebml_end(file)
        elif start[4:8] in (b'ftyp', b'moov', b'mdat', b'wide', b'free', b'skip', b'styp'):
            end = _iso_end(file, size)
        else:
            end = 0
    return max(0, end - size)


def is_iso_media(path: str) -> bool:
    """Whether the file is of the mp4 family, whose sample table holds the exact number of frames."""
    with open(path, 'rb') as file:
        return file.read(12)[4:8] in (b'ftyp', b'moov', b'mdat', b'wide', b'free', b'skip')


def _iso_end(file: BinaryIO, size: int) -> int:
    """Walk the top-level boxes: 4 bytes of size, 4 of type; size 1 = 64 bits follow, size 0 = to the end."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        if not all(32 <= byte < 127 for byte in head[4:8]):
            break  # bytes appended by something else: the last box was complete
        length = int.from_bytes(head[:4], 'big')
        if length == 1:
            length = int.from_bytes(head[8:16], 'big')
        if length < 8:
            break
        position += length
    return position


def _riff_end(file: BinaryIO, size: int) -> int:
    """Walk the RIFF chunks: an AVI over 1 GB has several, each with its own size."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        if head[:4] != b'RIFF':
            break
        length = int.from_bytes(head[4:], 'little')
        if length == 0:
            break
        position += 8 + length
    return position


def _ebml_end(file: BinaryIO) -> int:
    """EBML header, then one Segment; a live recording leaves the Segment's size open (all ones)."""
    for wanted in (EBML_HEADER, EBML_SEGMENT):
        if int.from_bytes(file.read(4), 'big') != wanted:
            return 0
        length = _ebml_length(file)
        if length is None:
            return 0
        if wanted == EBML_HEADER:
            file.seek(length, os.SEEK_CUR)
    return file.tell() + length


def _ebml_length(file: BinaryIO) -> int | None:
    """A variable-length integer: the leading zeros of the first byte give the number of further bytes."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    digits = bytes([first[0] & ((1 << (7 - extra)) - 1)]) + file.read(extra)
    value = int.from_bytes(digits, 'big')
    return None if value == (1 << (7 * (extra + 1))) - 1 else value
