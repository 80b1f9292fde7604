"""Sequences out of a decoder: the likeliest token at each step, or the likeliest of several beams."""
from dataclasses import dataclass

import torch
from torch import Tensor

from mmspike.codecs import AttributeSequenceCodec
from mmspike.codecs.attribute_sequence import BOS, EOS, PAD

from .sequence_decoder import SequenceDecoder


@dataclass(frozen=True)
class Sequences:
    """Generated sequences of B images.

    Args:
        tokens: with the beginning and, where there is one, the end; padded. ``legacy`` lacks the ends, as published,
            where all are equally long. **Shape** [B, 1 + T], there [B, T].
        log_probs: what each token was chosen from; -inf past the end. **Shape** [B, T, V].
        lengths: tokens of each, the end counted, the beginning not. **Shape** [B].
        stopped: which end by the model's own choice: an end that the constraints force counts only where it would have
            been the likeliest without them. **Shape** [B].
    """

    tokens: Tensor
    log_probs: Tensor
    lengths: Tensor
    stopped: Tensor


@dataclass(frozen=True)
class _Row:
    """A finished sequence: tokens ``[1 + t]``, the end included where there is one, and their distributions."""

    tokens: Tensor
    log_probs: Tensor  # [t, V]
    stopped: bool


def greedy(decoder: SequenceDecoder, words: Tensor, memory: Tensor, codec: AttributeSequenceCodec) -> Sequences:
    """The likeliest token at each step, for a whole batch at once, until every sequence has its end.

    Args:
        decoder: called once per token, which costs the same for the last as for the first.
        words: the vector of each token. **Shape** [V, D].
        memory: of the images. **Shape** [B, M, D].
        codec: says what may be generated, and how much.
    """
    state = decoder.start(memory)
    tokens = torch.full((len(memory), 1), BOS, device=memory.device)
    live = torch.ones(len(memory), dtype=torch.bool, device=memory.device)
    stopped, lengths, history = ~live, torch.zeros_like(tokens[:, 0]), []
    for _ in range(codec.length):
        logits, state = decoder(tokens[:, -1:], words, state)
        log_probs, free = _distributions(codec, logits[:, -1], tokens)
        token = log_probs.argmax(-1)
        ends = live & (token == EOS)
        history.append(log_probs.masked_fill(~live[:, None], -torch.inf))
        tokens = torch.cat([tokens, token.where(live, PAD)[:, None]], 1)
        lengths, stopped, live = lengths + live, stopped | (ends & free), live & ~ends
        if not live.any():
            break
    return Sequences(tokens, torch.stack(history, 1), lengths, stopped | (codec.mode == 'posneg'))


def beam_search(decoder: SequenceDecoder, words: Tensor, memory: Tensor, codec: AttributeSequenceCodec,
                num_beams: int, length_penalty: float = 0.0) -> Sequences:
    """The best of the sequences that ``num_beams`` beams come upon; arguments as for :func:`greedy`.

    A sequence counts with the sum of its log-probabilities, that of its end included, over its length (the beginning
    counted, the end not) to the power of ``length_penalty``. At each step the best ``2 num_beams`` continuations of an
    image are looked at: ends among the first ``num_beams`` finish a sequence, the best others go on. An image is done
    when ``num_beams`` sequences are finished and no continuation is better than the worst of them.
    """
    images, state = len(memory), decoder.start(memory)
    finished = [_Finished(num_beams, length_penalty) for _ in range(images)]
    done = [False] * images
    tokens = torch.full((images, 1), BOS, device=memory.device)
    exact = torch.promote_types(memory.dtype, torch.float32)  # sums of many steps, of half precision too
    totals = memory.new_zeros(images, 1, dtype=exact)  # of each beam; one at the start, as all would be the same
    history = memory.new_zeros(images, 0, codec.vocab_size, dtype=exact)
    for length in range(1, codec.length + 1):
        logits, state = decoder(tokens[:, -1:], words, state)
        log_probs, free = _distributions(codec, logits[:, -1], tokens)
        history = torch.cat([history, log_probs[:, None]], 1)
        beams = totals.shape[1]
        candidates = (totals.reshape(-1, 1) + log_probs).view(images, -1)  # [B, beams V]
        scores, places = candidates.topk(min(2 * num_beams, candidates.shape[1]), dim=1)
        going: list[tuple[float, int, int]] = []  # total, token, row; num_beams for each image
        for image, (image_scores, image_places) in enumerate(zip(scores.tolist(), places.tolist(), strict=True)):
            here: list[tuple[float, int, int]] = []
            for rank, (score, place) in enumerate(zip(image_scores, image_places, strict=True)):
                row, token = image * beams + place // codec.vocab_size, place % codec.vocab_size
                if done[image] or score == -torch.inf or len(here) == num_beams:
                    break
                if token != EOS:
                    here.append((score, token, row))
                elif rank < num_beams:
                    ended = torch.cat([tokens[row], tokens.new_tensor([EOS])])
                    finished[image].add(score, length, _Row(ended, history[row], bool(free[row])))
            done[image] = done[image] or not here or finished[image].beats(image_scores[0], length)
            going += here + [(-torch.inf, PAD, image * beams)] * (num_beams - len(here))
        if all(done):
            break
        chosen_totals, chosen, rows = zip(*going, strict=True)
        totals = totals.new_tensor(chosen_totals).view(images, num_beams)
        chosen, rows = (torch.tensor(part, device=memory.device) for part in (chosen, rows))
        tokens = torch.cat([tokens[rows], chosen[:, None]], 1)
        history, state = history[rows], state.select(rows)
    for image in (image for image in range(images) if not done[image]):
        for beam, total in enumerate(totals[image].tolist()):
            if total > -torch.inf:
                row = image * num_beams + beam
                finished[image].add(total, tokens.shape[1], _Row(tokens[row], history[row], codec.mode == 'posneg'))
    return _stack([one.best() for one in finished], codec)


class _Finished:
    """The best ``size`` finished sequences of an image."""

    def __init__(self, size: int, length_penalty: float) -> None:
        self.size, self.length_penalty = size, length_penalty
        self.rows: list[tuple[float, _Row]] = []

    def add(self, total: float, length: int, row: _Row) -> None:
        score = total / length**self.length_penalty
        if len(self.rows) < self.size or score > self._worst():
            self.rows.append((score, row))
            if len(self.rows) > self.size:
                del self.rows[min(range(len(self.rows)), key=lambda i: self.rows[i][0])]

    def beats(self, total: float, length: int) -> bool:
        """Whether no sequence that goes on from this total can come in."""
        return len(self.rows) == self.size and self._worst() >= total / length**self.length_penalty

    def best(self) -> _Row:
        return max(reversed(self.rows), key=lambda entry: entry[0])[1]  # of equal ones the last

    def _worst(self) -> float:
        return min(score for score, _ in self.rows)


def _distributions(codec: AttributeSequenceCodec, logits: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities [R, V] of what may come next, and whether an end would be the model's own choice [R]."""
    log_probs = codec.constrain(logits, tokens)
    others = log_probs.isfinite().sum(-1) > 1
    return log_probs, others | (logits.argmax(-1) == EOS)


def _stack(rows: list[_Row], codec: AttributeSequenceCodec) -> Sequences:
    """Sequences side by side. In ``legacy``, as published, none has its end where all are equally long."""
    lengths = [len(row.tokens) - 1 for row in rows]
    width = max(lengths)
    tokens = torch.stack([torch.nn.functional.pad(row.tokens, (0, width - n), value=PAD)
                          for row, n in zip(rows, lengths, strict=True)])
    log_probs = torch.stack([torch.nn.functional.pad(row.log_probs, (0, 0, 0, width - n), value=-torch.inf)
                             for row, n in zip(rows, lengths, strict=True)])
    if codec.mode == 'legacy' and len(set(lengths)) == 1 and bool((tokens[:, -1] == EOS).all()):
        tokens = tokens[:, :-1]
    return Sequences(tokens, log_probs, torch.tensor(lengths, device=tokens.device),
                     torch.tensor([row.stopped for row in rows], device=tokens.device))
