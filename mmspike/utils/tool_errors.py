"""A user's mistake ends a tool with one readable message; a bug ends it with its traceback."""
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_OURS = (_PACKAGE, *(str(Path(__file__).parents[2] / folder) + os.sep for folder in ('tools', 'demo')))  # in a clone
_WORKER = re.compile(r'Caught \w+ in DataLoader worker process \d+\.\nOriginal (Traceback .*)', re.DOTALL)


def run_tool(main: Callable[[], None]) -> None:
    """Runs the ``main`` of a tool. With ``MMSPIKE_DEBUG=1`` every error keeps its traceback.

    Raises:
        SystemExit: with the message, for an error that mmspike or a tool itself raised to tell the user something.
    """
    try:
        main()
    except Exception as error:
        message = message_for_user(error)
        if message is None or os.environ.get('MMSPIKE_DEBUG', '0') != '0':
            raise
        rank = f' [rank {os.environ["RANK"]}]' if int(os.environ.get('WORLD_SIZE', 1)) > 1 else ''
        sys.exit(f'\nError{rank}: {message}\n(MMSPIKE_DEBUG=1 shows where this was raised.)')


def message_for_user(error: Exception) -> str | None:
    """The message of an error that mmspike raised on purpose; None for any other, whose traceback is needed."""
    worker = _WORKER.match(str(error))
    if worker:
        return _message_of_worker(worker[1])
    while error.__cause__ is not None and not _raised_here(error):
        error = error.__cause__
    return str(error) if _raised_here(error) else None


def _raised_here(error: BaseException) -> bool:
    if type(error).__module__.startswith('mmspike.'):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].filename.startswith(_OURS):
        return False
    # Errors of other kinds (attribute, type, index) are bugs; a RuntimeError may be an operation of torch that failed
    return isinstance(error, ValueError | OSError) or (
        isinstance(error, RuntimeError) and (frames[-1].line or '').startswith('raise '))


def _message_of_worker(text: str) -> str | None:
    """A data loader's worker hands its error over as the text of a traceback."""
    *_, last = re.split(r'\n  File "', text)
    file, _, rest = last.partition('"')
    found = re.search(r'^(?:ValueError|OSError|RuntimeError|\w+NotFoundError|[\w.]*mmspike[\w.]*): (.*)', rest,
                      re.DOTALL | re.MULTILINE)
    return found[1].strip() if found and file.startswith(_PACKAGE) else None
