"""A data set that is made on first use: written once, whole or not at all."""
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

STAMP = 'made_by_mmspike.json'


def write_once(folder: Path | str, parameters: dict, write: Callable[[Path], None]) -> bool:
    """Fill a folder, unless it was already filled from the same parameters.

    ``write`` gets a temporary folder beside the wanted one, which takes the wanted name only when it is complete: an
    interrupted write leaves nothing that could be taken for data, and is done again. Of several processes that start
    at once (the ranks of a distributed run) one writes while the others wait; the lock falls with its process.

    Args:
        folder: The wanted folder. Its content is replaced if other parameters made it.
        parameters: All that decides the content, JSON values only. Kept in the folder as its stamp.
        write: Called with the empty temporary folder.

    Returns:
        Whether this process has written.

    Raises:
        FileExistsError: If the folder holds files that this function did not write.
        OSError: If the folder cannot be written.
    """
    folder, parameters = Path(folder).absolute(), json.loads(json.dumps(parameters))
    if _stamp(folder) == parameters:
        return False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f'.{folder.name}.lock')):
            if _stamp(folder) == parameters:  # written by another process while this one waited
                return False
            if folder.exists() and _stamp(folder) is None and any(folder.iterdir()):
                raise FileExistsError(f'{folder} holds files that were not written by this data set, and they are not '
                                      'overwritten. Move them away, or set data_root to another folder.')
            _fill(folder, parameters, write)
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(f'Cannot write the data set to {folder}: {error}. Set data_root to a folder that can be written '
                      'and has room.') from error
    return True


def write_text(path: Path | str, text: str) -> None:
    """Write a small text file, whole or not at all, unless it already holds the text."""
    path = Path(path)
    if path.exists() and path.read_text() == text:
        return
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}')
    unfinished.write_text(text)
    unfinished.replace(path)


def _fill(folder: Path, parameters: dict, write: Callable[[Path], None]) -> None:
    unfinished, outdated = (folder.with_name(f'.{folder.name}.{word}') for word in ('unfinished', 'outdated'))
    for leftover in (unfinished, outdated):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished.mkdir()
    write(unfinished)
    (unfinished / STAMP).write_text(json.dumps(parameters, indent=2) + '\n')
    if folder.exists():
        folder.rename(outdated)
    unfinished.rename(folder)
    shutil.rmtree(outdated, ignore_errors=True)


def _stamp(folder: Path) -> dict | None:
    try:
        return json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return None
