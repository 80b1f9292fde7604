"""The decoder that writes attributes: a Transformer whose keys and values are kept in an explicit state."""
from dataclasses import dataclass, field, replace

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmspike.codecs.attribute_sequence import PAD
from mmspike.models.layers.weight_panels import Panels, linear, panels_of
from mmspike.registry import MODELS

Pair = tuple[Tensor, Tensor]  # keys and values
LONG = 16
"""Tokens after which a sequence is long, and its decoder's weights are laid out for many more steps."""


@dataclass(frozen=True)
class DecoderState:
    """What a decoder has seen: nothing is kept in the module.

    Args:
        memory: of each layer, keys and values of the image, [B, h, M, d].
        past: of each layer, keys and values of the tokens so far, [R, h, t, d]; empty before the first.
        pad: which of these are padding, [R, t].
        panels: copies of weights that this sequence is read from, once it is long.
    """

    memory: list[Pair]
    past: list[Pair]
    pad: Tensor
    panels: Panels = field(default_factory=dict)

    def select(self, rows: Tensor) -> 'DecoderState':
        """The state of other rows, such as the beams that go on; all beams of an image share its memory."""
        return replace(self, past=[(k[rows], v[rows]) for k, v in self.past], pad=self.pad[rows])


class SelfAttention(nn.Module):
    """``norm(x + attention over what is up to x)``; q, k and v are one layer.

    Shape:
        ``[R, T, D]`` -> the same, and keys and values of everything so far.
    """

    def __init__(self, embed_dims: int, num_heads: int, head_dims: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, inner = num_heads, num_heads * head_dims
        self.qkv = nn.Linear(embed_dims, 3 * inner)
        self.out = nn.Linear(inner, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, past: Pair | None, panels: Panels) -> tuple[Tensor, Pair]:
        qkv = linear(self.qkv, x, panels)
        q, k, v = (split_heads(part, self.num_heads) for part in qkv.chunk(3, -1))  # [R, h, T, d]
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        y = join_heads(F.scaled_dot_product_attention(q, k, v, mask))
        return self.norm(x + self.dropout(linear(self.out, y, panels))), (k, v)


class MemoryAttention(nn.Module):
    """``norm(x + attention over the image)``; R / B rows, the beams of one image, share its keys and values.

    Shape:
        ``[R, T, D]`` -> the same.
    """

    def __init__(self, embed_dims: int, num_heads: int, head_dims: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, inner = num_heads, num_heads * head_dims
        self.q = nn.Linear(embed_dims, inner)
        self.kv = nn.Linear(embed_dims, 2 * inner)
        self.out = nn.Linear(inner, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)

    def remember(self, memory: Tensor) -> Pair:
        """Keys and values of an image, once: ``[B, M, D]`` -> ``[B, h, M, d]`` each."""
        kv = self.kv(memory).unflatten(-1, (2, self.num_heads, -1))  # [B, M, 2, h, d]
        # Copied once, head by head, as each of many steps reads them
        return tuple(kv.permute(2, 0, 3, 1, 4).contiguous().unbind())

    def forward(self, x: Tensor, memory: Pair, panels: Panels) -> Tensor:
        q = self._queries(x, memory, panels)
        y = join_heads(F.scaled_dot_product_attention(q, *memory)).view(*x.shape[:2], -1)
        return self.norm(x + self.dropout(linear(self.out, y, panels)))

    def weights(self, x: Tensor, memory: Pair) -> Tensor:
        """How much each token looks at each place: ``[R, T, D]`` -> ``[R, T, M]``, mean over heads."""
        q = self._queries(x, memory, {})  # [B, h, R/B T, d]
        scores = q @ memory[0].transpose(-2, -1) * q.shape[-1]**-0.5
        return scores.softmax(-1).mean(1).view(*x.shape[:2], -1)

    def _queries(self, x: Tensor, memory: Pair, panels: Panels) -> Tensor:
        rows = linear(self.q, x, panels).view(len(memory[0]), -1, self.q.out_features)  # [B, R/B T, h d]
        return split_heads(rows, self.num_heads)


class FeedForward(nn.Module):
    """``norm(x + two linear layers with a GELU between)``."""

    def __init__(self, embed_dims: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(embed_dims, hidden)
        self.fc2 = nn.Linear(hidden, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, panels: Panels) -> Tensor:
        y = self.dropout(F.gelu(linear(self.fc1, x, panels)))
        return self.norm(x + self.dropout(linear(self.fc2, y, panels)))


class DecoderLayer(nn.Module):
    """Tokens so far -> image -> feed forward, each with its norm behind it; padding becomes 0 after each."""

    def __init__(self, embed_dims: int, num_heads: int, head_dims: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = SelfAttention(embed_dims, num_heads, head_dims, dropout)
        self.memory_attn = MemoryAttention(embed_dims, num_heads, head_dims, dropout)
        self.ffn = FeedForward(embed_dims, hidden, dropout)

    def step_layers(self) -> list[nn.Linear]:
        """Those that run for every token."""
        return [self.self_attn.qkv, self.self_attn.out, self.memory_attn.q, self.memory_attn.out,
                self.ffn.fc1, self.ffn.fc2]

    def forward(self, x: Tensor, keep: Tensor, mask: Tensor, memory: Pair, past: Pair | None, panels: Panels,
                looks: list[Tensor] | None) -> tuple[Tensor, Pair]:
        x, past = self.self_attn(x, mask, past, panels)
        x = x * keep
        if looks is not None:
            looks.append(self.memory_attn.weights(x, memory))
        x = self.memory_attn(x, memory, panels) * keep
        return self.ffn(x, panels) * keep, past


@MODELS.register_module()
class SequenceDecoder(BaseModule):
    """Tokens and an image -> what comes next.

    words of the tokens + positions -> layers (tokens so far, image, feed forward) -> a score per token

    One call takes any number of tokens: a whole sequence to train on, or the next token with the state that the last
    call gave. Keys and values of the image are computed once, by :meth:`start`.

    Args:
        vocab_size: V.
        max_length: the most tokens of an input.
        embed_dims: D, even.
        depth: number of layers.
        num_heads: h.
        head_dims: d; h times d need not be D.
        feedforward_channels: of the hidden features.
        dropout: probability.
        init_cfg: mmengine's.

    Shape:
        tokens ``[R, T]``, words ``[V, D]`` and a state of R rows -> logits ``[R, T, V]`` and the next state.

    Source: SequencePAR (arXiv 2312.01640), the decoder of the Meshed-Memory Transformer (CVPR 2020) without memory
        slots: norms behind, sinusoids that count from 1, an output layer of its own.
    Differs: nothing in what is computed; the published code runs all of it anew for every token.
    """

    def __init__(self, vocab_size: int, max_length: int, embed_dims: int = 768, depth: int = 6, num_heads: int = 8,
                 head_dims: int = 64, feedforward_channels: int = 2048, dropout: float = 0.1,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        self.embed_dims, self.max_length = embed_dims, max_length
        self.layers = nn.ModuleList(
            DecoderLayer(embed_dims, num_heads, head_dims, feedforward_channels, dropout) for _ in range(depth))
        self.fc = nn.Linear(embed_dims, vocab_size, bias=False)
        self.register_buffer('positions', sinusoids(max_length + 1, embed_dims))  # row 0 is that of padding
        for attention in (child for layer in self.layers for child in (layer.self_attn, layer.memory_attn)):
            for part in (child for child in attention.children() if isinstance(child, nn.Linear)):
                nn.init.zeros_(part.bias)
                parts = 1 if part is attention.out else part.out_features // (num_heads * head_dims)
                for weight in part.weight.data.chunk(parts):  # queries, keys and values as layers of their own
                    nn.init.xavier_uniform_(weight)

    def start(self, memory: Tensor) -> DecoderState:
        """The state before the first token, of images ``[B, M, D]``."""
        if memory.ndim != 3 or memory.shape[-1] != self.embed_dims:
            raise ValueError(f'SequenceDecoder: the image is {list(memory.shape)}, expected [B, M, {self.embed_dims}]. '
                             'Set model.head.in_channels to the channels of the backbone, so that they are projected, '
                             'or model.head.decoder.embed_dims to them.')
        return DecoderState([layer.memory_attn.remember(memory) for layer in self.layers], [],
                            torch.zeros(len(memory), 0, dtype=torch.bool, device=memory.device))

    def forward(self, tokens: Tensor, words: Tensor, state: DecoderState,
                looks: list[Tensor] | None = None) -> tuple[Tensor, DecoderState]:
        """The scores of what follows each token, and the state that holds these tokens, too.

        Args:
            tokens: the next T of each row. **Shape** [R, T].
            words: the vector of each token. **Shape** [V, D].
            state: of the tokens before.
            looks: given a list, each layer adds how much each token looks at each place of the image, [R, T, M].

        Raises:
            ValueError: more tokens than there are positions.
        """
        seen = state.pad.shape[1]
        total = seen + tokens.shape[1]
        if total > self.max_length:
            raise ValueError(f'SequenceDecoder: {total} tokens, expected at most {self.max_length}.')
        new_pad = tokens == PAD
        pad = torch.cat([state.pad, new_pad], 1)  # [R, t + T]
        x = F.embedding(tokens, words) + self._positions(new_pad, seen)  # [R, T, D]
        later = torch.ones(tokens.shape[1], total, dtype=torch.bool, device=x.device).triu(seen + 1)
        mask = ~(later | pad[:, None])[:, None]  # [R, 1, T, t + T]: True may be looked at
        keep, past = (~new_pad)[..., None].to(x.dtype), []
        panels = state.panels
        if seen == LONG:
            panels = panels_of((part for layer in self.layers for part in layer.step_layers()), tokens.numel())
        for layer, memory, before in zip(self.layers, state.memory, state.past or [None] * len(self.layers),
                                         strict=True):
            x, now = layer(x, keep, mask, memory, before, panels, looks)
            past.append(now)
        return self.fc(x), DecoderState(state.memory, past, pad, panels)

    def _positions(self, pad: Tensor, seen: int) -> Tensor:
        places = torch.arange(seen + 1, seen + 1 + pad.shape[1], device=pad.device)
        return F.embedding(places.expand_as(pad).masked_fill(pad, 0), self.positions)


def sinusoids(rows: int, dims: int) -> Tensor:
    """Sines in even columns, cosines in odd ones, in float32; row 0 is padding, and 0: ``[rows, dims]``."""
    row, column = (torch.arange(n, dtype=torch.float32) for n in (rows, dims // 2))
    angles = row[:, None] / 10000**(2 * column / dims)
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    table[0] = 0
    return table


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """``[B, N, h d]`` -> ``[B, h, N, d]``."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """``[B, h, N, d]`` -> ``[B, N, h d]``."""
    return x.transpose(1, 2).flatten(2)
