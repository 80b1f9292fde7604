"""SequencePAR in small: a ResNet-18 of width 16, its last two maps, a decoder of two layers, learned words."""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16, out_indices=(2, 3)),
    head=dict(
        type='SequenceHead',
        num_attributes=12,
        in_channels=(64, 128),
        phrases=dict(type='LearnedPhrases', channels=96),
        codec=dict(type='AttributeSequenceCodec', mode='eos', order='dataset'),
        decoder=dict(
            type='SequenceDecoder', embed_dims=96, depth=2, num_heads=4, head_dims=24, feedforward_channels=192,
            dropout=0.0),
        loss=dict(type='TokenLoss', weighted=True)))
