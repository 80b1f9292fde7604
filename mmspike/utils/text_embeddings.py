"""The file of sentence embeddings that a text-guided head reads: one vector per attribute.

An ``.npz`` of plain arrays: ``attributes`` (the names, in the order of the labels), ``phrases`` (what was embedded),
``vectors`` (float32 ``[A, E]``), ``encoder`` (the name of the model that made them); where their absence has words of
its own, also ``negative_phrases`` and ``negative_vectors``.
"""
import zipfile
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TOOL = 'tools/dataset_converters/text_embeddings.py'
NEGATIVE = ('negative_phrases', 'negative_vectors')


@dataclass(frozen=True)
class TextEmbeddings:
    """Sentence embeddings of the attributes of a data set.

    Args:
        attributes: names, in the order of the labels.
        phrases: what was embedded, one per attribute.
        vectors: float32 ``[A, E]``.
        encoder: what made the vectors.
        negative_phrases: what was embedded for the absence of each attribute; may be empty.
        negative_vectors: their vectors, float32 ``[A, E]``, or None.
    """
    attributes: list[str]
    phrases: list[str]
    vectors: np.ndarray
    encoder: str
    negative_phrases: list[str] = field(default_factory=list)
    negative_vectors: np.ndarray | None = None

    @classmethod
    def read(cls, path: str | Path) -> 'TextEmbeddings':
        """Reads a file, of which nothing is executed.

        Raises:
            ValueError: no such file, or not one of :data:`TOOL`; says how to write one.
        """
        path = Path(path).expanduser()
        how = (f'Write one with: python {TOOL} ANNOTATIONS --out {path}, and with the --library and --model that the '
               'config names (its first lines); the default is a sentence transformer')
        if not path.is_file():
            raise ValueError(f'{path}: no such file of text embeddings. {how}')
        try:
            with np.load(path, allow_pickle=False) as file:
                attributes, phrases, vectors, encoder = (file[k] for k in ('attributes', 'phrases', 'vectors',
                                                                           'encoder'))
                negative = [file[k] for k in NEGATIVE] if NEGATIVE[0] in file else []
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f'{path}: not a file of text embeddings ({type(error).__name__}: {error}). {how}') from None
        if vectors.ndim != 2 or not len(vectors) == len(attributes) == len(phrases):
            raise ValueError(f'{path}: {len(attributes)} attributes, {len(phrases)} phrases and vectors of shape '
                             f'{list(vectors.shape)}; expected one phrase and one vector per attribute. {how}')
        if negative and negative[1].shape != vectors.shape:
            raise ValueError(f'{path}: vectors of absences of shape {list(negative[1].shape)}, expected '
                             f'{list(vectors.shape)}, those of the attributes. {how}')
        absences = (negative[0].tolist(), negative[1].astype(np.float32)) if negative else ()
        return cls(attributes.tolist(), phrases.tolist(), vectors.astype(np.float32), str(encoder), *absences)

    def vectors_of(self, num_attributes: int, negatives: bool = False, source: str | Path = 'the file') -> np.ndarray:
        """The vectors, ``[A, E]``, or with those of the absences after them, ``[2 A, E]``.

        Raises:
            ValueError: another number of attributes, or no absences; says how to write the file.
        """
        how = f'python {TOOL} ANNOTATIONS --out FILE'
        if len(self.attributes) != num_attributes:
            raise ValueError(f'{source}: {len(self.attributes)} sentences for {num_attributes} attributes. Write the '
                             f'file from the annotation file of this data set: {how}.')
        if not negatives:
            return self.vectors
        if self.negative_vectors is None:
            raise ValueError(f"{source} has no vectors for the absence of an attribute, which mode 'posneg' needs. "
                             f"Write it with them: {how} --negative 'not {{}}'.")
        return np.concatenate([self.vectors, self.negative_vectors])

    def write(self, path: str | Path) -> None:
        """Writes the file, with its folder; an ``.npz`` ending is added where it lacks one."""
        path = Path(path).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        absences = {} if self.negative_vectors is None else dict(zip(NEGATIVE, (
            np.array(self.negative_phrases), np.asarray(self.negative_vectors, np.float32)), strict=True))
        np.savez(path, attributes=np.array(self.attributes), phrases=np.array(self.phrases),
                 vectors=np.asarray(self.vectors, np.float32), encoder=np.array(self.encoder), **absences)


def check_distinct(attributes: Sequence[str], phrases: Sequence[str], source: str,
                   seen: Iterable[Hashable] | None = None) -> None:
    """Checks that no two attributes have the same phrase: to a decoder that reads phrases they would be one word.

    Args:
        attributes: names, as far as they are known.
        phrases: one of each.
        source: for the message.
        seen: what a model sees of each phrase, where that is not its letters, such as its tokens.

    Raises:
        ValueError: names the attributes, the phrases, and what to do.
    """
    first: dict[Hashable, int] = {}
    for place, key in enumerate(phrases if seen is None else seen):
        if (other := first.setdefault(key, place)) != place:
            names = [attributes[at] if at < len(attributes) else f'attribute {at}' for at in (other, place)]
            what = ' and '.join(dict.fromkeys(repr(phrases[at]) for at in (other, place)))
            raise ValueError(f'{source}: {names[0]!r} and {names[1]!r} have the same phrase, {what}, so that the '
                             'model could not tell them apart. Give each attribute a "phrase" of its own in the '
                             'annotation file (and write the file of text embeddings anew, where one is used).')
