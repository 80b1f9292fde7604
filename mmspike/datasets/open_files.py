"""Files that stay open between samples."""
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class OpenFiles:
    """Opens a file when it is first asked for, and keeps the last ones open, each process its own.

    HDF5 handles survive neither a fork nor a pickle: a worker of a data loader starts without any.

    Args:
        open_file: Called with the arguments of :meth:`get`.
        limit: So many stay open.
    """

    def __init__(self, open_file: Callable[..., Any], limit: int = 256) -> None:
        self.open_file, self.limit = open_file, limit
        self._files: OrderedDict = OrderedDict()
        self._process = os.getpid()

    def get(self, *key) -> Any:
        """The opened file of this key."""
        if self._process != os.getpid():
            self._files, self._process = OrderedDict(), os.getpid()
        if key not in self._files:
            self._files[key] = self.open_file(*key)
            if len(self._files) > self.limit:
                self._files.popitem(last=False)  # closed with the last reference to it
        self._files.move_to_end(key)
        return self._files[key]

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _files=OrderedDict())
