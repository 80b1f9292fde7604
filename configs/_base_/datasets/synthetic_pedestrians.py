"""Drawn pedestrians, written as image files on first use: 12,000 to train, 1,500 to choose by, 1,500 to test; 77 MB.

12 attributes in 4 groups, images of 128x64 (the Resize is for images of another size). No change of hue: two attributes
are colours.
"""
data_root = 'data/synthetic_pedestrians'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(64, 128)),  # width, height
    dict(type='mmpretrain.RandomFlip', prob=0.5),
    dict(type='mmpretrain.RandomCrop', crop_size=(128, 64), padding=4),  # a shift
    dict(type='mmpretrain.ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, backend='cv2'),
    dict(type='mmpretrain.PackInputs')
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(64, 128)),
    dict(type='PackPerson')
]

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='SyntheticPedestrians', data_root=data_root, split='train', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=100,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SyntheticPedestrians', data_root=data_root, split='val', pipeline=test_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=100,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SyntheticPedestrians', data_root=data_root, split='test', pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='AttributeMetric')
test_evaluator = dict(type='AttributeMetric')
