"""Attributes as a generated sequence: the head of SequencePAR."""
from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmspike.codecs.attribute_sequence import BOS, EOS, FIRST, PAD
from mmspike.models.layers.image_memory import ImageMemory
from mmspike.models.layers.sequence_search import Sequences, beam_search, greedy
from mmspike.registry import MODELS, TASK_UTILS

from .labels import stack_labels


@MODELS.register_module()
class SequenceHead(BaseModule):
    """An image and the words of the attributes -> a sequence of the attributes that are there.

    features -> places of the image ─┐
    words of the tokens so far ──────┴─> decoder -> the next token, until the end

    The words are vectors of phrases; beginning, end and padding are constants (1, -1 and 0 throughout).

    Args:
        num_attributes: A.
        in_channels: of the backbone, see :class:`mmspike.models.layers.image_memory.ImageMemory`.
        phrases: config of what gives the vectors of the phrases: ``LearnedPhrases``, ``FilePhrases``, ``CLIPPhrases``.
        codec: config of what makes sequences of labels, by default an ``AttributeSequenceCodec``.
        decoder: config of the decoder, by default a ``SequenceDecoder``.
        num_beams: 1 takes the likeliest token at each step, more are beams.
        length_penalty: of the beams.
        loss: config of the loss, called as ``loss(logits [B, L, V], targets [B, L])``.
        init_cfg: mmengine's.

    Shape:
        tuple of maps ``[B, C, h, w]`` or tokens ``[B, N, C]`` -> logits ``[B, A]``, those of the scores.

    Raises:
        ValueError: labels, features or phrases that do not fit; says what to set.

    Source: SequencePAR (arXiv 2312.01640).
    Differs: sequences end, and are generated with what is already known (codec, mode ``'eos'``); ``mode='legacy'`` is
        the published behaviour. See docs/deviations.md.
    """

    def __init__(self,
                 num_attributes: int,
                 in_channels: int | Sequence[int] | None = None,
                 phrases: dict = dict(type='LearnedPhrases', channels=768),  # noqa: B006  (a config, never changed)
                 codec: dict | None = None,
                 decoder: dict | None = None,
                 num_beams: int = 1,
                 length_penalty: float = 0.0,
                 loss: dict = dict(type='TokenLoss'),  # noqa: B006
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(init_cfg)
        if num_beams < 1:
            raise ValueError(f'SequenceHead: num_beams is {num_beams}; expected 1 (the likeliest token) or more beams.')
        _refuse(('codec', codec, ('num_attributes',)), ('decoder', decoder, ('vocab_size', 'max_length')),
                ('phrases', phrases, ('num_attributes', 'negatives')))
        self.num_attributes, self.num_beams, self.length_penalty = num_attributes, num_beams, length_penalty
        self.codec = TASK_UTILS.build(
            dict(dict(type='AttributeSequenceCodec'), **codec or {}, num_attributes=num_attributes))
        # As many positions as the longest sequence of any mode, one of which is a whole published caption
        self.decoder = MODELS.build(dict(dict(type='SequenceDecoder'), **decoder or {},
                                         vocab_size=self.codec.vocab_size, max_length=num_attributes + 1))
        width = self.decoder.embed_dims
        self.memory = ImageMemory(in_channels, width)
        negatives = self.codec.num_phrases > num_attributes
        self.phrases = MODELS.build(dict(phrases, num_attributes=num_attributes, negatives=negatives))
        self.word_proj = nn.Identity() if self.phrases.channels == width else nn.Linear(self.phrases.channels, width)
        special = torch.zeros(FIRST, width)
        special[BOS], special[EOS] = 1, -1
        self.register_buffer('special', special)
        self.loss_module = MODELS.build(loss)

    @property
    def attributes(self) -> list[str] | None:
        """Names, in order, where the phrases tell them."""
        return self.phrases.attributes

    def read_meta(self, meta: Mapping) -> None:
        """Take phrases and order of a data set's ``metainfo``, as far as they are asked for."""
        self.codec.read_meta(meta)
        self.phrases.read_meta(meta)

    @property
    def is_told(self) -> bool:
        """Whether phrases and order are known, from a checkpoint or the config."""
        return self.codec.is_told and self.phrases.is_told

    def words(self) -> Tensor:
        """The vector of each token, ``[V, D]``."""
        phrases = self.word_proj(self.phrases())
        return torch.cat([self.special.to(phrases.dtype), phrases])

    def next_tokens(self, features: Sequence[Tensor], tokens: Tensor) -> Tensor:
        """Logits of what follows each of the given tokens: ``[B, T]`` -> ``[B, T, V]``."""
        return self.decoder(tokens, self.words(), self.decoder.start(self.memory(features)))[0]

    def generate(self, features: Sequence[Tensor]) -> Sequences:
        """The sequence of each image."""
        words, memory = self.words(), self.memory(features)
        # After a padding, which legacy generates, all tokens are equally likely: a beam breaks ties as published
        if self.num_beams == 1 and self.codec.mode != 'legacy':
            return greedy(self.decoder, words, memory, self.codec)
        return beam_search(self.decoder, words, memory, self.codec, self.num_beams, self.length_penalty)

    def scores(self, sequences: Sequences) -> Tensor:
        """The probability of each attribute that it is emitted, ``[B, A]``; above 0.5 exactly where it is."""
        return self.codec.scores(sequences.log_probs, sequences.tokens)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """The scores as logits ``[B, A]``."""
        return torch.logit(self.scores(self.generate(features)), eps=1e-6)

    def loss(self, features: Sequence[Tensor], samples: list[DataSample]) -> dict[str, Tensor]:
        """The loss of each next token, given the true ones before it."""
        labels = stack_labels(samples, self.num_attributes, type(self).__name__).to(features[-1].device)
        tokens = self.codec.encode(labels, [str(sample.get('img_path', 'a sample')) for sample in samples])
        longest = max(int((tokens != PAD).sum(1).max()), 2)
        tokens = tokens[:, :longest]
        logits = self.next_tokens(features, tokens[:, :-1])
        logits = logits.masked_fill(self.codec.unknown(labels)[:, None], -torch.inf)
        return dict(loss=self.loss_module(logits, self.codec.targets(tokens, labels)))

    def predict(self, features: Sequence[Tensor], samples: list[DataSample]) -> list[DataSample]:
        """Fill each sample's ``pred_score`` [A], ``pred_sequence`` (attributes in the order in which they came; with
        ``posneg`` their absence is ``A + a``), ``pred_steps`` (the probability of each, and of the end where there is
        one), ``pred_tokens`` (all that was generated) and ``pred_stopped``."""
        sequences = self.generate(features)
        chosen, steps = sequences.tokens[:, 1:], sequences.log_probs.shape[1]
        # An image's own ends are there whatever its batch, in legacy, too
        chosen = nn.functional.pad(chosen, (0, steps - chosen.shape[1]), value=EOS)
        steps = sequences.log_probs.gather(2, chosen[..., None])[..., 0].exp()  # [B, T]
        for i, (sample, scores) in enumerate(zip(samples, self.scores(sequences).float(), strict=True)):
            own = chosen[i, :int(sequences.lengths[i])]
            sample.pred_score = scores
            sample.set_field(own[own >= FIRST] - FIRST, 'pred_sequence')
            sample.set_field(steps[i, :len(own)][(own >= FIRST) | (own == EOS)].float(), 'pred_steps')
            sample.set_field(own, 'pred_tokens')
            sample.set_field(bool(sequences.stopped[i]), 'pred_stopped')
        return samples

    def looks(self, features: Sequence[Tensor], tokens: Tensor, size: Sequence[int]) -> Tensor | None:
        """Where the decoder looked as it generated each token of one image, mean over layers and heads.

        Args:
            features: of the backbone, of this image alone.
            tokens: the image's ``pred_tokens``. **Shape** [T].
            size: height and width of the image.

        Returns:
            Tensor: on the grid of the finest map. **Shape** [T, h, w]; None where the features make no grid.
        """
        before = torch.cat([tokens.new_tensor([BOS]), tokens[:-1]])[None]
        layers: list[Tensor] = []
        self.decoder(before, self.words(), self.decoder.start(self.memory(features)), layers)
        return self.memory.on_image(torch.stack(layers).mean(0)[0], features, size)


def _refuse(*parts: tuple[str, Mapping | None, Sequence[str]]) -> None:
    """Options that follow from others are no options."""
    for part, config, names in parts:
        for name in names:
            if name in (config or {}):
                raise ValueError(f'SequenceHead: {part}.{name} is set, but follows from num_attributes and the mode of '
                                 f'the codec. Leave out model.head.{part}.{name}.')
