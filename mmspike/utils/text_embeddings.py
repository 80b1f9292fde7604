"""The file of sentence embeddings that a text-guided head reads: one vector per attribute.

An ``.npz`` of plain arrays: ``attributes`` (the names, in the order of the labels), ``phrases`` (what was embedded),
``vectors`` (float32 ``[A, E]``), ``encoder`` (the name of the model that made them).
"""
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TOOL = 'tools/dataset_converters/text_embeddings.py'


@dataclass(frozen=True)
class TextEmbeddings:
    """Sentence embeddings of the attributes of a data set.

    Args:
        attributes: names, in the order of the labels.
        phrases: what was embedded, one per attribute.
        vectors: float32 ``[A, E]``.
        encoder: what made the vectors.
    """
    attributes: list[str]
    phrases: list[str]
    vectors: np.ndarray
    encoder: str

    @classmethod
    def read(cls, path: str | Path) -> 'TextEmbeddings':
        """Reads a file, of which nothing is executed.

        Raises:
            ValueError: no such file, or not one of :data:`TOOL`; says how to write one.
        """
        path = Path(path).expanduser()
        how = f'Write one with: python {TOOL} ANNOTATIONS --out {path}'
        if not path.is_file():
            raise ValueError(f'{path}: no such file of text embeddings. {how}')
        try:
            with np.load(path, allow_pickle=False) as file:
                attributes, phrases, vectors, encoder = (file[k] for k in ('attributes', 'phrases', 'vectors',
                                                                           'encoder'))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f'{path}: not a file of text embeddings ({type(error).__name__}: {error}). {how}') from None
        if vectors.ndim != 2 or not len(vectors) == len(attributes) == len(phrases):
            raise ValueError(f'{path}: {len(attributes)} attributes, {len(phrases)} phrases and vectors of shape '
                             f'{list(vectors.shape)}; expected one phrase and one vector per attribute. {how}')
        return cls(attributes.tolist(), phrases.tolist(), vectors.astype(np.float32), str(encoder))

    def write(self, path: str | Path) -> None:
        """Writes the file, with its folder; an ``.npz`` ending is added where it lacks one."""
        path = Path(path).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, attributes=np.array(self.attributes), phrases=np.array(self.phrases),
                 vectors=np.asarray(self.vectors, np.float32), encoder=np.array(self.encoder))
