"""Attributes read off an image by sentences: the head of VTB."""
from collections.abc import Sequence
from pathlib import Path

import torch
from mmpretrain.models.backbones.vision_transformer import TransformerEncoderLayer
from torch import Tensor, nn

from mmspike.registry import MODELS
from mmspike.utils.text_embeddings import TextEmbeddings

from .attribute_head import AttributeHead


@MODELS.register_module()
class VTBHead(AttributeHead):
    """Sentence embeddings and image tokens through one Transformer block; each sentence answers for its attribute.

    text [A, E] -> linear ─┐
    tokens [B, 1 + N, C] ──┴─> one Transformer layer -> norm -> A outputs of text tokens -> one weight vector each -> BN

    The layer and the norm are those that end a ViT, so the backbone goes without: a ViT-B/16 of 11 layers here is a
    whole ViT-B/16.

    Args:
        num_attributes: A.
        in_channels: C, the width of the ViT.
        text_embeddings: file of ``tools/dataset_converters/text_embeddings.py``; None learns a vector of
            ``text_channels`` per attribute instead of reading sentences (not in the paper).
        text_channels: E, of the learned vectors; a file has its own.
        num_heads: of the layer's attention.
        mlp_ratio: width of the layer's hidden features, in C.
        drop_path_rate: of the layer.
        loss: config of the loss, called as ``loss(logits [B, A], labels [B, A])``.
        init_cfg: mmengine's.

    Shape:
        tuple of tokens, the last ``[B, 1 + N, C]``, class token first -> logits ``[B, A]``.

    Raises:
        ValueError: an unreadable file of embeddings, one for another number of attributes, or tokens of another width.

    Source: VTB (IEEE TCSVT 2022, "A Simple Visual-Textual Baseline for Pedestrian Attribute Recognition").
    Differs: nothing.
    """

    def __init__(self,
                 num_attributes: int,
                 in_channels: int,
                 text_embeddings: str | Path | None = None,
                 text_channels: int = 768,
                 num_heads: int = 12,
                 mlp_ratio: float = 4.0,
                 drop_path_rate: float = 0.0,
                 loss: dict = dict(type='WeightedBCELoss'),  # noqa: B006  (a config, never changed)
                 init_cfg: dict | list[dict] | None = None):
        super().__init__(num_attributes, in_channels, loss=loss, init_cfg=init_cfg)
        self.attributes = None  # names, in order, where a file tells them
        if text_embeddings is None:
            self.text = nn.Parameter(torch.randn(num_attributes, text_channels) * text_channels**-0.5)
        else:
            file = TextEmbeddings.read(text_embeddings)
            vectors = file.vectors_of(num_attributes, source=text_embeddings)
            self.attributes = file.attributes
            # Of the data set, as the labels are: not part of a checkpoint
            self.register_buffer('text', torch.from_numpy(vectors), persistent=False)
        self.word_embed = nn.Linear(self.text.shape[1], in_channels)
        self.text_type = nn.Parameter(torch.zeros(1, 1, in_channels))
        self.image_type = nn.Parameter(torch.zeros(1, 1, in_channels))
        self.layer = TransformerEncoderLayer(
            in_channels, num_heads, int(mlp_ratio * in_channels), drop_path_rate=drop_path_rate,
            norm_cfg=dict(type='LN', eps=1e-6))
        self.norm = nn.LayerNorm(in_channels, eps=1e-6)
        self.bn = nn.BatchNorm1d(num_attributes)

    def embed(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Sentences and image in one space: text ``[A, C]`` and tokens ``[B, 1 + N, C]``, class token first."""
        tokens = features[-1]
        if tokens.ndim != 3 or tokens.shape[-1] != self.in_channels:
            raise ValueError(f'VTBHead: the backbone gives {list(tokens.shape)}, expected tokens [B, 1 + N, '
                             f"{self.in_channels}]. Set backbone.out_type='raw' of mmpretrain's VisionTransformer and "
                             'head.in_channels to its width.')
        return self.word_embed(self.text) + self.text_type[0], tokens + self.image_type

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        text, tokens = self.embed(features)
        x = torch.cat([text.expand(len(tokens), -1, -1), tokens], 1)  # [B, A + 1 + N, C]
        x = self.norm(self.layer(x))[:, :self.num_attributes]
        return self.bn((x * self.fc.weight).sum(-1) + self.fc.bias)  # row a of fc reads the token of attribute a
