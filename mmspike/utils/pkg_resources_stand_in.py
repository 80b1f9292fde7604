"""The part of setuptools' ``pkg_resources`` that mmengine uses, over ``importlib.metadata``.

Served under the name ``pkg_resources`` where setuptools no longer has it, see :mod:`mmspike.utils.compat`.
"""
import importlib.metadata
import importlib.util
from pathlib import Path

DistributionNotFound = importlib.metadata.PackageNotFoundError


class Distribution:
    """An installed package: its ``version``, the folder that holds it (``location``) and its metadata files."""

    def __init__(self, name: str) -> None:
        self._files = importlib.metadata.distribution(name)
        self.project_name = self._files.metadata['Name']
        self.version = self._files.version

    def has_metadata(self, file_name: str) -> bool:
        return self._files.read_text(file_name) is not None

    def get_metadata(self, file_name: str) -> str:
        return self._files.read_text(file_name)

    @property
    def location(self) -> str:
        module = (self._files.read_text('top_level.txt') or self.project_name).split()[0]
        spec = importlib.util.find_spec(module)
        # An editable install lies where its sources are, not where its metadata is
        return str(Path(spec.origin).parents[1] if spec and spec.origin else self._files.locate_file(''))


def get_distribution(name: str) -> Distribution:
    """The installed package of that name.

    Raises:
        DistributionNotFound: no such package.
    """
    return Distribution(name)
