"""Images of pedestrians at 256x128 (height, width), loaded and augmented as SNN-PAR and VTB do.

Resized as PIL does it (bilinear with antialiasing), a black border of 10 pixels, a crop of the size, a flip. A data set
sets data_root, annotation file and folder. As published, training is on trainval and the figures are those of test;
to choose a checkpoint on other images than these, train on train and validate on val, where a data set has them.
"""
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(128, 256), backend='pillow'),  # width, height
    dict(type='mmpretrain.RandomCrop', crop_size=(256, 128), padding=10),
    dict(type='mmpretrain.RandomFlip', prob=0.5),
    dict(type='mmpretrain.PackInputs')
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(128, 256), backend='pillow'),
    dict(type='mmpretrain.PackInputs')
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='AttributeDataset', split='trainval', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='AttributeDataset', split='test', pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='AttributeMetric')
test_evaluator = val_evaluator
