"""What the inferencers of all tasks share: a model with its test pipeline, files in batches, results on disk."""
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmengine.structures import BaseDataElement

from mmspike.apis.model import init_model
from mmspike.datasets import ImageReadError, VideoReadError
from mmspike.registry import TRANSFORMS


class Inferencer:
    """Base of the tasks' inferencers. A task gives :meth:`predict` and, to :meth:`_run`, how to read a file and what to
    write and to draw of a prediction.

    Args:
        config: Path of a config, or a loaded one; its ``test_dataloader.dataset.pipeline`` reads the files.
        checkpoint: File with the model's weights; ``None`` leaves a model that guesses.
        device: Where the model runs.
        cfg_options: Dotted path -> value, put over the config.

    Raises:
        ValueError: The config has no test pipeline.
    """

    def __init__(self, config: str | Path | Config, checkpoint: str | Path | None = None,
                 device: str | torch.device = 'cpu', cfg_options: dict | None = None) -> None:
        self.model = init_model(config, checkpoint, device, cfg_options)
        dataset = self.model.cfg.get('test_dataloader', {}).get('dataset', {})
        if not dataset.get('pipeline'):
            raise ValueError(f'{self.model.cfg.filename}: no test_dataloader.dataset.pipeline; expected the transforms '
                             'that read a file, as in configs/_base_/datasets')
        with DefaultScope.overwrite_default_scope('mmspike'):  # a Runner of this process may have left another
            self.transforms = [TRANSFORMS.build(step) for step in dataset.pipeline]

    def predict(self, samples: Sequence[dict]) -> tuple[list[BaseDataElement], Any]:
        """The samples with their scores, and what was observed while the model ran."""
        raise NotImplementedError

    def _run(self, files: Sequence[Path], samples: Callable[[Path], Iterable[dict]], batch_size: int,
             out_dir: str | Path | None, describe: Callable[[BaseDataElement], dict],
             draw: Callable[[dict, BaseDataElement, Any, int], tuple[str, Figure]] | None) -> dict:
        """Predict, batch by batch.

        Args:
            files: Files, in order.
            samples: File -> its samples, each with ``inputs`` and ``data_samples``.
            batch_size: Samples per forward.
            out_dir: Folder for ``predictions.json`` and the pictures.
            describe: Prediction -> what to write of it.
            draw: Sample, prediction, what was observed and the place in the batch -> name and picture; ``None`` draws
                nothing.

        Returns:
            ``predictions``, and ``skipped`` files with their errors.
        """
        if draw is not None and out_dir is None:
            raise ValueError(f'{type(self).__name__}: draw=True needs out_dir, the folder to write the pictures to')
        out_dir = None if out_dir is None else Path(out_dir)
        if out_dir is not None:
            out_dir.mkdir(parents=True, exist_ok=True)
        predictions, skipped = [], []
        for batch in self._batches(files, samples, batch_size, skipped):
            outputs, observed = self.predict(batch)
            for place, (sample, output) in enumerate(zip(batch, outputs, strict=True)):
                if draw is not None:
                    name, figure = draw(sample, output, observed, place)
                    figure.savefig(out_dir / f'{len(predictions):05d}_{name}.png')
                predictions.append(describe(output))
        if skipped:
            print_log(f'{len(skipped)} of {len(files)} files could not be read and were left out, the first: '
                      f"{skipped[0]['error']}", logger='current', level=logging.WARNING)
        results = dict(predictions=predictions, skipped=skipped)
        if out_dir is not None:
            (out_dir / 'predictions.json').write_text(json.dumps(results, indent=1, ensure_ascii=False) + '\n')
        return results

    @staticmethod
    def _batches(files: Sequence[Path], samples: Callable[[Path], Iterable[dict]], size: int,
                 skipped: list[dict]) -> Iterator[list[dict]]:
        """Samples of one shape, in order; what cannot be read goes to ``skipped``."""
        batch: list[dict] = []
        for file in files:
            try:
                for sample in samples(file):
                    if batch and (len(batch) == size or batch[0]['inputs'].shape != sample['inputs'].shape):
                        yield batch
                        batch = []
                    batch.append(sample)
            except (ImageReadError, VideoReadError) as error:
                skipped.append(dict(filename=str(file), error=str(error)))
        if batch:
            yield batch


def find_files(inputs: str | Path | Iterable[str | Path], suffixes: Sequence[str], what: str) -> list[Path]:
    """Files as they are, folders searched at any depth; in order, without duplicates.

    Args:
        inputs: A file, a folder, or several of them.
        suffixes: Endings, in small letters, of the files to take from folders.
        what: Their kind, for the message.

    Raises:
        FileNotFoundError: A folder holds no such file.
    """
    files: list[Path] = []
    for path in [inputs] if isinstance(inputs, str | Path) else inputs:
        path = Path(path)
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(file for file in path.rglob('*') if file.suffix.lower() in suffixes)
        if not found:
            raise FileNotFoundError(f'{path}: no {what} file in this folder or below it; expected files ending in '
                                    f"{', '.join(suffixes)}")
        files += found
    return list(dict.fromkeys(files))
