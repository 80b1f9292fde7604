"""What datasets share whose augmentation is a function of (seed, epoch, index), and whose files may be broken."""
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch


class SharedState:
    """What the copies of a dataset in a loader's workers have in common: the epoch, and the samples that failed.

    In shared memory, so that persistent workers follow the epoch and failures are counted across workers.
    """

    def __init__(self) -> None:
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._unreadable = torch.zeros(0, dtype=torch.uint8)

    def set_length(self, num_samples: int) -> None:
        """Forget the failures, and make room for those of so many samples."""
        self._unreadable = torch.zeros(num_samples, dtype=torch.uint8).share_memory_()

    @property
    def epoch(self) -> int:
        return int(self._epoch)

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    @property
    def num_unreadable(self) -> int:
        """Different samples that failed."""
        return int(self._unreadable.sum())

    def fails_first(self, idx: int) -> bool:
        """Count a sample as failed; whether it was not before."""
        first = not self._unreadable[idx]
        self._unreadable[idx] = 1
        return first


def load_or_replace(load: Callable[[int], dict], idx: int, error_type: type[Exception],
                    note: Callable[[int, Exception], None], num_samples: int, max_failures: int,
                    advice: str) -> dict:
    """Load a sample, or another, drawn by numpy's generator, where it cannot be read.

    Args:
        load: Loads a sample by its index.
        idx: The wanted sample.
        error_type: What ``load`` raises for a file that cannot be read.
        note: Called with each sample that fails.
        num_samples: Of the dataset.
        max_failures: So many different samples in a row may fail.
        advice: For the error: what looks wrong, and what to do.

    Raises:
        RuntimeError: More failed, or all.
    """
    failed: list[int] = []
    while True:
        try:
            return load(idx)
        except error_type as error:
            note(idx, error)
            failed.append(idx)
            if len(failed) > max_failures or len(failed) == num_samples:
                raise RuntimeError(f'{len(failed)} different samples in a row cannot be read. The last: {error}. '
                                   f'{advice}') from error
            while idx in failed:
                idx = int(np.random.randint(num_samples))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seed Python's and numpy's global generators for a block, and put them back after it."""
    states = random.getstate(), np.random.get_state()
    first, second = np.random.SeedSequence([part % 2**32 for part in key]).generate_state(2)
    random.seed(int(first))
    np.random.seed(int(second))
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
