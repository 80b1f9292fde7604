"""Where the tests find data: the collection beside the project where it exists, a small part of it in tests/data."""
import os
from pathlib import Path

import pytest

# Before torch is imported, as in tools/train.py: two pytest processes on one machine would crawl otherwise
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

ROOT = Path(__file__).resolve().parents[1]


class Golden:
    """``golden / 'units/respike_lif.npz'`` is the file's path, or skips the test where no copy of it exists."""

    folders = (Path(os.environ.get('MMSPIKE_GOLDEN', ROOT.parent / 'shared/golden')), ROOT / 'tests/data/golden')

    def __truediv__(self, name: str) -> Path:
        for folder in self.folders:
            if (folder / name).is_file():
                return folder / name
        pytest.skip(f'{name} is in none of {[str(f) for f in self.folders]}; set MMSPIKE_GOLDEN to the collection')


@pytest.fixture(scope='session')
def golden() -> Golden:
    """Numbers computed by the original implementations."""
    return Golden()


@pytest.fixture(scope='session')
def samples() -> Path:
    """Real videos, images and event recordings."""
    folder = Path(os.environ.get('MMSPIKE_SAMPLES', ROOT.parent / 'shared/samples'))
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent; set MMSPIKE_SAMPLES to a folder of real samples')
    return folder


@pytest.fixture(scope='session')
def root() -> Path:
    """The repository."""
    return ROOT
