"""Spikingformer 8-384, T = 4, in mmpretrain's ImageClassifier, with the published mixup, CutMix and label smoothing."""
model = dict(
    type='mmpretrain.ImageClassifier',
    _scope_='mmpretrain',  # its parts are named as in mmpretrain's own configs
    data_preprocessor=dict(
        num_classes=1000, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    backbone=dict(type='mmspike.Spikingformer', arch='8-384', num_steps=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead', num_classes=1000, in_channels=384,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original')),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)]))
