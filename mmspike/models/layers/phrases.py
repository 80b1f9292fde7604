"""A vector for each phrase: learned, read from a file, or written by the text tower of CLIP."""
import logging
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmspike.codecs.attribute_sequence import with_absences
from mmspike.registry import MODELS
from mmspike.utils.clip_tokens import clip_tokens
from mmspike.utils.text_embeddings import TextEmbeddings, check_distinct

from .clip_transformer import TEXT, ClipTransformer, refuse_other_size, tower


class Phrases(BaseModule):
    """What a head of sequences asks of the vectors of its phrases: calling gives them, ``[P, channels]``.

    P is the number of attributes; with ``negatives`` their absences follow, and it is twice that.
    """

    attributes: list[str] | None = None  # names, in order, where they are known
    channels: int
    is_told = True  # whether nothing is to be read of a data set any more

    def read_meta(self, meta: Mapping) -> None:
        """Take what is needed of a data set's ``metainfo``; by default nothing is."""


@MODELS.register_module()
class LearnedPhrases(Phrases):
    """A learned vector per phrase, of whose words nothing is known.

    Args:
        num_attributes: A.
        channels: of a vector.
        negatives: whether there are vectors of absences, too.
        init_cfg: mmengine's.
    """

    def __init__(self, num_attributes: int, channels: int, negatives: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        self.channels = channels
        self.vectors = nn.Parameter(torch.randn(num_attributes * (1 + negatives), channels))

    def forward(self) -> Tensor:
        return self.vectors


@MODELS.register_module()
class FilePhrases(Phrases):
    """Vectors out of a file of ``tools/dataset_converters/text_embeddings.py``, such as those of a frozen text tower.

    Of the data set, as the labels are: not part of a checkpoint, which knows a checksum of theirs alone, so that other
    ones are told of when it is loaded.

    Args:
        num_attributes: A.
        text_embeddings: the file.
        negatives: whether there are vectors of absences, too, which the file has to hold (``--negative``).
        init_cfg: mmengine's.

    Raises:
        ValueError: an unreadable file, one of another number of attributes, two of the same phrase, or no absences.
    """

    def __init__(self, num_attributes: int, text_embeddings: str | Path, negatives: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        file = TextEmbeddings.read(text_embeddings)
        vectors = file.vectors_of(num_attributes, negatives, text_embeddings)
        names, phrases = with_absences(file.attributes), [*file.phrases, *file.negative_phrases]
        for seen in (phrases[:len(vectors)], [row.tobytes() for row in vectors]):
            check_distinct(names, phrases, str(text_embeddings), seen)
        self.attributes, self.channels = file.attributes, vectors.shape[1]
        self.register_buffer('vectors', torch.from_numpy(vectors), persistent=False)
        self.register_buffer('checksum', torch.tensor(zlib.crc32(vectors.tobytes())))
        self.file = text_embeddings
        self.register_load_state_dict_pre_hook(_compare_vectors)

    def forward(self) -> Tensor:
        return self.vectors


@MODELS.register_module()
class CLIPPhrases(Phrases):
    """The text tower of CLIP on the phrases of the data set: the feature of the end of a text, not normalised.

    The tokens of the phrases are part of a checkpoint, so that it needs neither data set nor tokenizer to run. While
    the tower is frozen their features are computed once, and again when the weights have been loaded or moved. Who
    writes into them (``weight.data``) calls ``set_tokens`` thereafter.

    Args:
        num_attributes: A.
        arch: as that of ``CLIPVision``; a dict has no ``patch_size``.
        frozen: whether the tower keeps its weights; the published SequencePAR trains it.
        negatives: whether there are features of absences, too.
        template: put around each phrase, such as ``'a photo of {}'``.
        negative: put around it for its absence.
        phrases: one per attribute; by default those of the data set.
        context_length: tokens of a text.
        vocab_size: of the tokenizer; 49408 is CLIP's.
        activation: ``'quick_gelu'`` (weights of OpenAI) or ``'gelu'`` (most others of open_clip).
        with_cp: compute the blocks again for the gradient, instead of keeping what is in them.
        init_cfg: mmengine's.

    Raises:
        ValueError: an unknown architecture, a template without a place for the phrase, two attributes of the same
            phrase, or phrases that nobody told.
        CheckpointError: weights of another architecture.
        ImportError: a data set is read and open_clip, whose tokenizer is used, is not installed.

    Source: CLIP (arXiv 2103.00020), as SequencePAR uses it.
    Differs: the published code runs the tower for every batch, in evaluation too.
    """

    def __init__(self, num_attributes: int, arch: str | Mapping = 'ViT-L/14', frozen: bool = True,
                 negatives: bool = False, template: str = '{}', negative: str = 'not {}',
                 phrases: Sequence[str] | None = None, context_length: int = 77, vocab_size: int = 49408,
                 activation: str = 'quick_gelu', with_cp: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        for name, value in dict(template=template, negative=negative).items():
            if '{}' not in value:
                raise ValueError(f'CLIPPhrases: {name} is {value!r}; expected a text with {{}} where the phrase goes, '
                                 "such as 'a photo of {}'.")
        self.size = size = tower(arch, TEXT, 'CLIPPhrases')
        self.num_attributes, self.negatives, self.frozen = num_attributes, negatives, frozen
        self.template, self.negative, self.channels = template, negative, size.output_dims
        self.token_embedding = nn.Embedding(vocab_size, size.width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(context_length, size.width))
        self.transformer = ClipTransformer(size, activation, with_cp)
        self.ln_final = nn.LayerNorm(size.width)
        self.text_projection = nn.Parameter(size.width**-0.5 * torch.randn(size.width, size.output_dims))
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.register_buffer('tokens', torch.full((num_attributes * (1 + negatives), context_length), -1))
        self._features: Tensor | None = None
        self.requires_grad_(not frozen)
        self.register_load_state_dict_pre_hook(_keep_phrases)
        self.is_stated = phrases is not None
        if self.is_stated:
            self._tokenise(dict(phrases=phrases, dataset='model.head.phrases'))

    @property
    def is_told(self) -> bool:
        return int(self.tokens[0, 0]) >= 0

    def read_meta(self, meta: Mapping) -> None:
        """Tokenise ``phrases`` of a data set's ``metainfo``, unless the config states them."""
        if not self.is_stated:
            self._tokenise(meta)

    def _tokenise(self, meta: Mapping) -> None:
        names, phrases = (list(meta.get(key) or ()) for key in ('attributes', 'phrases'))
        if len(phrases) != self.num_attributes:
            raise ValueError(f'CLIPPhrases: {len(phrases)} phrases in the metainfo of the data set, expected '
                             f'{self.num_attributes}, one per attribute. Use a data set that tells them, such as '
                             'AttributeDataset, and set model.head.num_attributes to its number of attributes.')
        texts = [self.template.format(phrase) for phrase in phrases]
        if self.negatives:
            texts += [self.negative.format(text) for text in texts]
        tokens = clip_tokens(texts, self.tokens.shape[1])
        seen = map(tuple, tokens.tolist())  # by the tower, to which upper case and spaces are nothing
        check_distinct(with_absences(names), texts, str(meta.get('dataset') or 'the data set'), seen)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tensor | Sequence[Sequence[int]]) -> None:
        """Take token ids ``[P, context_length]``; the end of a text is its highest one."""
        tokens = torch.as_tensor(tokens)
        if tokens.shape != self.tokens.shape:
            raise ValueError(f'CLIPPhrases: token ids of shape {list(tokens.shape)}, expected '
                             f'{list(self.tokens.shape)}.')
        self.tokens.copy_(tokens)
        self._features = None

    def forward(self) -> Tensor:
        if not self.frozen:
            return self.encode()
        if self._features is None:
            # Kept beyond this call, so neither in its precision nor as tensors that a training may not use
            with (torch.inference_mode(False), torch.no_grad(),
                  torch.autocast(self.tokens.device.type, enabled=False)):
                self._features = self.encode()
        return self._features

    def encode(self) -> Tensor:
        """The features of the phrases, ``[P, channels]``."""
        if not self.is_told:
            raise ValueError('CLIPPhrases: the phrases are not known. Load a checkpoint of a training (a converted one '
                             'has none), keep AttributePhrasesHook among the hooks (it reads them from the data set), '
                             "or state them: model.head.phrases.phrases=['a person with a hat', ...].")
        length = self.tokens.shape[1]
        x = self.token_embedding(self.tokens) + self.positional_embedding
        x = self.transformer(x, torch.full((length, length), -torch.inf, device=x.device, dtype=x.dtype).triu(1))
        ends = self.ln_final(x)[torch.arange(len(x), device=x.device), self.tokens.argmax(1)]  # [P, D]
        return ends @ self.text_projection

    def _apply(self, *args, **kwargs):
        self._features = None
        return super()._apply(*args, **kwargs)


def _compare_vectors(module: FilePhrases, state_dict: dict, prefix: str, *args) -> None:
    """Weights that were trained with other vectors are told of; published ones know nothing of theirs."""
    theirs = state_dict.get(f'{prefix}checksum', module.checksum)
    if not theirs.is_meta and not module.checksum.is_meta and int(theirs) != int(module.checksum):
        print_log(f'FilePhrases: the weights were trained with other text features than those of {module.file}: what '
                  'they give is worth nothing without more training. Give the file of their training, '
                  'model.head.phrases.text_embeddings=FILE.', 'current', logging.WARNING)
    state_dict[f'{prefix}checksum'] = module.checksum


def _keep_phrases(module: CLIPPhrases, state_dict: dict, prefix: str, *args) -> None:
    """Phrases that the config states stay; a published checkpoint has none, and those that are there stay then."""
    refuse_other_size(state_dict, prefix, module.size, TEXT, 'model.head.phrases.arch')
    name = f'{prefix}tokens'
    if module.is_stated or name not in state_dict:
        state_dict[name] = module.tokens
    module._features = None
