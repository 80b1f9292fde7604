"""Spikingformer 8-768, T = 8, with a head of attributes, from scratch; a leaf sets the number of attributes."""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    backbone=dict(
        type='Spikingformer', arch=dict(embed_dims=768, depth=8, num_heads=8, mlp_ratio=4), num_steps=8),
    head=dict(type='AttributeHead', num_attributes=26, in_channels=768, loss=dict(type='WeightedBCELoss')))
