"""ResNet-50 with a head of attributes, from scratch; a leaf adds ImageNet weights and the number of attributes."""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
        to_rgb=True),
    backbone=dict(type='mmpretrain.ResNet', depth=50),
    head=dict(
        type='AttributeHead', num_attributes=26, in_channels=2048, loss=dict(type='WeightedBCELoss'), init_cfg=None))
