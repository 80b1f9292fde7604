"""A dataset of files: seeded augmentation, and what to do with a file that cannot be read."""
import logging
from collections.abc import Callable, Sequence

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmspike.registry import TRANSFORMS

from .missing import explain_missing
from .seeding import SharedState, load_or_replace, seeded


class FileDataset(BaseDataset):
    """One sample per file, through a pipeline; the base of the datasets of this package.

    Each sample's augmentation is seeded by (seed, epoch, index), so that a resumed run repeats an unbroken one whatever
    the number of workers. In training a file that cannot be read is replaced by another, logged once and counted; in
    testing a subclass says what it counts as.

    A subclass sets ``KIND`` (``'image'``), ``PREFIX`` (key of ``data_prefix``), ``PATH`` (key of a file's path in
    ``data_list``), ``READ_ERROR`` (raised by its readers, made from path and reason) and ``LOOKS_WRONG`` (advice).

    Args:
        ann_file: File that lists the samples.
        data_prefix: ``dict(PREFIX=folder)`` that listed paths start from.
        data_root: Folder that ``ann_file`` and ``data_prefix`` start from.
        pipeline: Transforms, or their configs.
        seed: Seed of the augmentation.
        test_mode: Never replace a sample.
        max_refetch: So many different files in a row may fail in training.
        **kwargs: Of ``mmengine.dataset.BaseDataset``.
    """

    KIND: str
    PREFIX: str
    PATH: str
    READ_ERROR: type[Exception]
    LOOKS_WRONG: str

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict | None = None,
                 data_root: str = '',
                 pipeline: Sequence[dict | Callable] = (),
                 seed: int = 0,
                 test_mode: bool = False,
                 max_refetch: int = 20,
                 **kwargs) -> None:
        data_prefix = {self.PREFIX: ''} if data_prefix is None else data_prefix
        if list(data_prefix) != [self.PREFIX]:
            raise ValueError(f"data_prefix has the keys {list(data_prefix)}, expected dict({self.PREFIX}='folder of "
                             f"{self.KIND}s')")
        self.seed, self._shared = seed, SharedState()
        # Built here: mmengine would look the names up in whatever scope is the default one
        pipeline = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, data_root=data_root, pipeline=pipeline,
                         test_mode=test_mode, max_refetch=max_refetch, **kwargs)

    def full_init(self) -> None:
        """Read the list; called by the constructor unless ``lazy_init``."""
        if not self._fully_initialized:
            super().full_init()
            self._shared.set_length(len(self))

    def set_epoch(self, epoch: int) -> None:
        """Choose the augmentation of an epoch, in this process and in its workers."""
        self._shared.epoch = epoch

    @property
    def num_unreadable(self) -> int:
        """Different samples that could not be read so far, in this process and its workers."""
        return self._shared.num_unreadable

    @property
    def folder(self) -> str:
        """What listed paths start from, perhaps empty."""
        return self.data_prefix[self.PREFIX] or ''

    def check_folder(self, data: list[dict], listed: str, advice: str) -> None:
        """Raises where none of the listed files is there.

        Args:
            data: The entries of ``data_list``.
            listed: What they are, for the error.
            advice: What to do, for the error.

        Raises:
            FileNotFoundError: As it says.
        """
        wrong = explain_missing(self.folder, [entry[self.PATH] for entry in data], f'{self.KIND}s')
        if wrong:
            raise FileNotFoundError(f'{self.ann_file} lists {len(data)} {listed}, but {wrong}. {advice}')

    def prepare_data(self, idx: int) -> dict:
        """A sample through the pipeline.

        Raises:
            READ_ERROR: The file cannot be read, or, in training, a transform gave ``None`` for it.
            ValueError: In testing, a transform gave ``None``.
        """
        return self.run_pipeline(self.get_data_info(idx))

    def run_pipeline(self, info: dict) -> dict:
        """As :meth:`prepare_data`, from the entry of a sample."""
        path = info[self.PATH]
        sample = self.pipeline(info)
        if sample is not None:
            return sample
        if self.test_mode:
            raise ValueError(f'{path}: a transform of the pipeline gave None, expected a sample: no {self.KIND} is '
                             'left out of a test. Let the transform return its results, or raise '
                             f'{self.READ_ERROR.__name__}')
        raise self.READ_ERROR(path, 'a transform of the pipeline gave None for it')

    def load_unreadable(self, idx: int, error: Exception) -> dict:
        """In testing, what stands for a sample that cannot be read; or an error."""
        raise NotImplementedError

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        with seeded(self.seed, self._shared.epoch, idx):
            if not self.test_mode:
                folder = self.folder or '(none: paths as listed)'
                advice = f'The list {self.ann_file} or the folder {folder} looks wrong; {self.LOOKS_WRONG}'
                return load_or_replace(self.prepare_data, idx, self.READ_ERROR, self.note, len(self),
                                       self.max_refetch, advice)
            try:
                return self.prepare_data(idx)
            except self.READ_ERROR as error:
                return self.load_unreadable(idx, error)

    def note(self, idx: int, error: Exception) -> None:
        """Count a sample as failed, and log it the first time."""
        if self._shared.fails_first(idx):
            fate = 'counted as wrong' if self.test_mode else 'replaced by another'
            print_log(f'{error}; {fate} ({self.num_unreadable} of {len(self)} samples of {self.ann_file} so far)',
                      logger='current', level=logging.WARNING)
