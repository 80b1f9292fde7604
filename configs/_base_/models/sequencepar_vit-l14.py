"""SequencePAR: CLIP ViT-L/14 and a decoder of six layers; a leaf sets attributes and their text features.

The image tower is trained. The text tower is not: its features of the phrases, which then are always the same, come
from a file (FilePhrases) that a leaf names. Sequences end.
"""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    backbone=dict(type='CLIPVision', arch='ViT-L/14', img_size=224, with_cp=False),
    head=dict(
        type='SequenceHead',
        num_attributes=26,
        in_channels=None,  # tokens of the width of the decoder, as they are
        phrases=dict(type='LearnedPhrases', channels=768),
        codec=dict(type='AttributeSequenceCodec', mode='eos', order='dataset'),
        decoder=dict(
            type='SequenceDecoder', embed_dims=768, depth=6, num_heads=8, head_dims=64, feedforward_channels=2048,
            dropout=0.1),
        loss=dict(type='TokenLoss', weighted=False)))
