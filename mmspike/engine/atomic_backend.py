"""Files that are there whole or not at all."""
import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend


class AtomicLocalBackend(LocalBackend):
    """mmengine's local files, written beside their place and then moved there.

    A process that dies while it writes leaves the file of before, or none; never half of one. Chosen by
    ``backend_args=dict(backend='atomic')``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        os.makedirs(os.path.dirname(filepath) or '.', exist_ok=True)
        draft = f'{filepath}.part'
        with open(draft, 'wb') as file:
            file.write(obj)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, filepath)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


register_backend('atomic', AtomicLocalBackend, force=True)
