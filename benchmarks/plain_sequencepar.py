"""The decoder of SequencePAR as it is published: no state, every token runs the whole prefix and the image anew.

The order of operations and the names of the weights are the published ones.
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BOS, EOS, PAD = 0, 1, 2


class Attention(nn.Module):
    """Queries, keys and values of layers of their own, softmax, output."""

    def __init__(self, width: int, heads: int, head_width: int):
        super().__init__()
        self.heads, self.scale = heads, head_width**-0.5
        self.fc_q, self.fc_k, self.fc_v = (nn.Linear(width, heads * head_width) for _ in range(3))
        self.fc_o = nn.Linear(heads * head_width, width)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (fc(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for fc, x in (
            (self.fc_q, queries), (self.fc_k, keys), (self.fc_v, keys)))
        scores = self.scale * q @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(mask, -torch.inf)
        return self.fc_o((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class Attended(nn.Module):
    def __init__(self, width: int, heads: int, head_width: int):
        super().__init__()
        self.attention = Attention(width, heads, head_width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.layer_norm(x + self.attention(x, keys, mask))


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer_norm(x + self.fc2(F.gelu(self.fc1(x))))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, head_width: int, hidden: int):
        super().__init__()
        self.self_att, self.enc_att = (Attended(width, heads, head_width) for _ in range(2))
        self.pwff = FeedForward(width, hidden)

    def forward(self, x: Tensor, memory: Tensor, keep: Tensor, mask: Tensor) -> Tensor:
        x = self.self_att(x, x, mask) * keep
        x = self.enc_att(x, memory) * keep
        return self.pwff(x) * keep


class PlainDecoder(nn.Module):
    """All tokens of a prefix, the image and the words -> logits of what follows each token."""

    def __init__(self, attributes: int, depth: int = 6, width: int = 768, heads: int = 8, head_width: int = 64,
                 hidden: int = 2048):
        super().__init__()
        self.pos_emb = nn.Embedding(attributes + 2, width)
        self.layers = nn.ModuleList(Layer(width, heads, head_width, hidden) for _ in range(depth))
        self.fc = nn.Linear(width, attributes + 3, bias=False)

    def forward(self, tokens: Tensor, words: Tensor, memory: Tensor) -> Tensor:
        pad = tokens == PAD
        places = torch.arange(1, tokens.shape[1] + 1).expand_as(tokens).masked_fill(pad, 0)
        x = words[tokens] + self.pos_emb(places)
        later = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
        mask = (later | pad[:, None])[:, None]
        for layer in self.layers:
            x = layer(x, memory, (~pad)[..., None].to(x.dtype), mask)
        return self.fc(x)

    def greedy(self, words: Tensor, memory: Tensor, length: int) -> Tensor:
        """The likeliest next token, ``length`` times, or until all sequences have their end."""
        tokens = torch.full((len(memory), 1), BOS)
        live = torch.ones(len(memory), dtype=torch.bool)
        for _ in range(length):
            token = self(tokens, words, memory)[:, -1].argmax(-1)
            tokens = torch.cat([tokens, token.where(live, PAD)[:, None]], 1)
            live &= token != EOS
            if not live.any():
                break
        return tokens
