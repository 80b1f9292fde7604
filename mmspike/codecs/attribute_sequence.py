"""Attributes as a sequence of tokens, and back."""
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmspike.registry import TASK_UTILS

BOS, EOS, PAD = 0, 1, 2
FIRST = 3  # the token of attribute 0
MODES = ('eos', 'legacy', 'posneg')
ORDERS = ('dataset', 'group', 'frequency')
CONSTRAINTS = ('monotone', 'no_repeat', 'none')


@TASK_UTILS.register_module()
class AttributeSequenceCodec(nn.Module):
    """Labels [B, A] <-> tokens [B, 1 + L], and what the distributions of a generated sequence say of each attribute.

    Tokens: 0 begins, 1 ends, 2 pads, ``3 + a`` is attribute a, ``3 + A + a`` its absence (``posneg`` only). A module
    only because its order belongs to the weights: where it comes from the data set, a checkpoint holds it.

    ==========  ==========================================================  =======  ==========
    mode        sequence after the beginning                                L        vocabulary
    ==========  ==========================================================  =======  ==========
    ``eos``     the positive attributes, the end                            A + 1    A + 3
    ``legacy``  the positive attributes; nothing says where they end        A        A + 3
    ``posneg``  each attribute or its absence, so that the length is fixed  A        2 A + 3
    ==========  ==========================================================  =======  ==========

    Args:
        num_attributes: A.
        mode: see above.
        order: of the attributes in a sequence: ``'dataset'``, that of the labels; ``'group'``, group by group;
            ``'frequency'``, the most frequent first. The last two are read from the data set.
        constraint: what may be generated: ``'monotone'``, each attribute once and in order; ``'no_repeat'``, each once;
            ``'none'``, anything, beginnings and pads included. By default ``'none'`` for ``legacy``, else
            ``'monotone'``; ``posneg`` always has its order.
        max_positives: the most attributes that a person may have, which shortens L; by default A.

    Raises:
        ValueError: an unknown mode, order or constraint, no attributes, or a limit that makes no sense.

    Source: SequencePAR (arXiv 2312.01640).
    Differs: the published code knows ``legacy`` alone, whose targets never end, so that no model can learn to stop.
    """

    def __init__(self, num_attributes: int, mode: str = 'eos', order: str = 'dataset', constraint: str | None = None,
                 max_positives: int | None = None) -> None:
        super().__init__()
        constraint = constraint or ('none' if mode == 'legacy' else 'monotone')
        for name, value, known in (('mode', mode, MODES), ('order', order, ORDERS),
                                   ('constraint', constraint, CONSTRAINTS)):
            if value not in known:
                raise ValueError(f'AttributeSequenceCodec: {name} is {value!r}; expected one of '
                                 f'{", ".join(map(repr, known))}.')
        if num_attributes < 1:
            raise ValueError(f'AttributeSequenceCodec: num_attributes is {num_attributes}; expected at least 1. Set '
                             'model.head.num_attributes to the number of attributes of the data set.')
        if mode == 'posneg' and (constraint != 'monotone' or max_positives is not None):
            raise ValueError("AttributeSequenceCodec: mode 'posneg' names every attribute, in its order: leave out "
                             'constraint and max_positives.')
        if max_positives is not None and not 1 <= max_positives <= num_attributes:
            raise ValueError(f'AttributeSequenceCodec: max_positives is {max_positives}; expected 1 to '
                             f'{num_attributes}, the number of attributes, or None.')
        self.num_attributes, self.mode, self.order_by, self.constraint = num_attributes, mode, order, constraint
        self.max_positives = max_positives or num_attributes
        self.num_phrases = num_attributes * (2 if mode == 'posneg' else 1)
        self.vocab_size = FIRST + self.num_phrases
        self.length = self.max_positives + (mode == 'eos')
        stated = order == 'dataset'
        start = torch.arange(num_attributes) if stated else torch.full((num_attributes,), -1)
        self.register_buffer('order', start, persistent=not stated)  # attribute at each place

    @property
    def is_told(self) -> bool:
        """Whether the order is known."""
        return self.order_by == 'dataset' or int(self.order[0]) >= 0

    def read_meta(self, meta: Mapping) -> None:
        """Take the order of a data set: ``groups`` or ``positive_ratio`` of its ``metainfo``, one per attribute.

        Raises:
            ValueError: the data set does not say, or speaks of another number of attributes.
        """
        if self.order_by == 'dataset':
            return
        key = dict(group='groups', frequency='positive_ratio')[self.order_by]
        values = [] if meta.get(key) is None else list(meta[key])
        if len(values) != self.num_attributes:
            raise ValueError(f'AttributeSequenceCodec: order={self.order_by!r} needs {key!r} of {self.num_attributes} '
                             f'attributes in the metainfo of the data set, which has {len(values)}. Use a data set '
                             "that tells them, such as AttributeDataset, or order='dataset'.")
        keys = [values.index(value) for value in values] if self.order_by == 'group' else [-float(r) for r in values]
        self.order.copy_(torch.tensor(sorted(range(self.num_attributes), key=keys.__getitem__)))

    def encode(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor:
        """Labels [B, A], of which 1 is positive and everything else is not -> tokens [B, 1 + L], padded.

        Args:
            labels: **Shape** [B, A].
            names: of the images, for the message.

        Raises:
            ValueError: labels of another number of attributes, or more positives than a sequence may have.
        """
        self._check(labels)
        order = self._known_order()
        positive = labels[:, order] == 1  # [B, A], in the order of the sequence
        if self.mode == 'posneg':
            body = FIRST + order + self.num_attributes * ~positive
            return nn.functional.pad(body, (1, 0), value=BOS)
        count = positive.sum(1)  # [B]
        if int(count.max()) > self.max_positives:
            row = int(count.argmax())
            name = names[row] if row < len(names) else f'image {row} of the batch'
            raise ValueError(f'AttributeSequenceCodec: {name} has {int(count[row])} positive attributes, a sequence '
                             f'holds max_positives={self.max_positives}. Leave out model.head.codec.max_positives, so '
                             'that all attributes fit, or raise it.')
        tokens = torch.full((len(labels), 1 + self.length), PAD, device=labels.device)
        tokens[:, 0] = BOS
        rows, places = positive.nonzero(as_tuple=True)
        tokens[rows, positive.cumsum(1)[rows, places]] = FIRST + order[places]
        if self.mode == 'eos':
            tokens.scatter_(1, count[:, None] + 1, EOS)
        return tokens

    def targets(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """What is to be foretold after each token but the last, [B, L]; PAD where nothing is, for want of a label."""
        targets = tokens[:, 1:]
        if self.mode != 'posneg':
            return targets
        known = labels[:, self._known_order()]
        return targets.masked_fill((known != 0) & (known != 1), PAD)

    def unknown(self, labels: Tensor) -> Tensor:
        """Tokens that no label speaks for, and that a loss leaves out: bool [B, V]."""
        missing = (labels != 0) & (labels != 1)
        return nn.functional.pad(missing.repeat(1, self.num_phrases // self.num_attributes), (FIRST, 0))

    def decode(self, tokens: Tensor) -> Tensor:
        """The attributes of tokens [B, T]: bool [B, A]. What follows an end counts in ``legacy`` alone."""
        if self.mode != 'legacy':
            tokens = tokens.masked_fill((tokens == EOS).cumsum(1) > 0, PAD)
        there = torch.zeros(len(tokens), FIRST + 2 * self.num_attributes, dtype=torch.bool, device=tokens.device)
        return there.scatter_(1, tokens, True)[:, FIRST:FIRST + self.num_attributes]

    def forbidden(self, tokens: Tensor) -> Tensor | None:
        """What may not follow tokens [R, T]: bool [R, V]; None where anything may."""
        if self.constraint == 'none':
            return None
        order, (rows, length) = self._known_order(), tokens.shape
        out = torch.zeros(rows, self.vocab_size, dtype=torch.bool, device=tokens.device)
        if self.mode == 'posneg':
            attribute = order[min(length, self.num_attributes) - 1]
            out.fill_(True)
            out[:, [FIRST + attribute, FIRST + self.num_attributes + attribute]] = False
            return out
        if length > self.max_positives:
            out[:, FIRST:] = True
        used = self.decode(tokens)[:, order]  # [R, A]
        if self.constraint == 'monotone':
            used = used.flip(1).cumsum(1).flip(1) > 0  # and all that comes before one that is used
        out[:, FIRST + order] |= used
        out[:, [BOS, PAD]] = True
        return out

    def constrain(self, logits: Tensor, tokens: Tensor) -> Tensor:
        """Log-probabilities of what may follow tokens [R, T], from logits [R, V]; in float32 at least, or scores above
        and at 0.5 would be one number."""
        forbidden, logits = self.forbidden(tokens), logits if logits.dtype == torch.float64 else logits.float()
        logits = logits if forbidden is None else logits.masked_fill(forbidden, -torch.inf)
        return logits.log_softmax(-1)

    def scores(self, log_probs: Tensor, tokens: Tensor) -> Tensor:
        """The probability of each attribute that it is emitted, given what is emitted before it.

        In order, the choice of the next token is a chain of decisions, one per attribute: with p the distribution at a
        step, attribute a is emitted, if none before it is, with ``p(a) / (p(a) + all that comes after a, the end
        included)``. The score is this at the step at which the sequence comes to a, passes it, or ends; the product of
        all decisions is the probability of the sequence. ``posneg``: the same, with its absence as the only other
        choice. Without order (other constraints): the highest p(a) of all steps.

        Greedy search emits the likeliest token, whose own decision may be below 0.5 where several later ones share the
        rest, and beams may choose otherwise again: an emitted attribute has at least the next number above 0.5, any
        other at most 0.5, so that the threshold 0.5 gives what was emitted.

        Args:
            log_probs: what each token was chosen from, -inf past the end. **Shape** [B, T, V].
            tokens: with the beginning. **Shape** [B, 1 + T].

        Returns:
            Tensor: **Shape** [B, A].
        """
        order, emitted = self._known_order(), self.decode(tokens)
        p = log_probs.exp()
        positive = p[:, :, FIRST + order]  # [B, T, A], in the order of the sequence
        if self.mode == 'posneg':
            absent = p[:, :, FIRST + self.num_attributes + order]
            ordered = (positive / (positive + absent)).diagonal(dim1=1, dim2=2)
        elif self.constraint == 'monotone':
            after = positive.flip(-1).cumsum(-1).flip(-1) + p[:, :, EOS:EOS + 1]
            decision = positive / after.clamp(min=torch.finfo(p.dtype).tiny)
            used = emitted[:, order].long()
            step = (used.cumsum(1) - used).clamp(max=p.shape[1] - 1)  # at which an attribute is decided on
            ordered = decision.gather(1, step[:, None])[:, 0]
        else:
            ordered = positive.amax(1)
        scores = torch.zeros_like(ordered).index_copy_(1, order, ordered)
        above = torch.nextafter(torch.tensor(0.5), torch.tensor(1.0)).item()  # in float32, which metrics compare in
        return torch.where(emitted, scores.clamp(min=above), scores.clamp(max=0.5))

    def _known_order(self) -> Tensor:
        if not self.is_told:
            raise ValueError(f'AttributeSequenceCodec: the order of the attributes by {self.order_by} is not known. '
                             'Load a checkpoint, keep AttributePhrasesHook among the hooks (it reads the order from '
                             "the data set), or set model.head.codec.order='dataset'.")
        return self.order

    def _check(self, labels: Tensor) -> None:
        if labels.ndim != 2 or labels.shape[1] != self.num_attributes:
            raise ValueError(f'AttributeSequenceCodec: labels are {list(labels.shape)}, expected [B, '
                             f'{self.num_attributes}].')


def with_absences(names: Sequence[str]) -> list[str]:
    """Names of attributes and, after them, of their absences, as ``posneg`` has tokens of both."""
    return [*names, *(f'not {name}' for name in names)]
