"""Images of pedestrians at 224x224, as SequencePAR and other CLIP models take them: padded, not stretched."""
_base_ = ['./pedestrians_256x128.py']

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='PadToSquare'),
    dict(type='mmpretrain.Resize', scale=(224, 224), backend='pillow'),  # width, height
    dict(type='mmpretrain.RandomCrop', crop_size=(224, 224), padding=10),
    dict(type='mmpretrain.RandomFlip', prob=0.5),
    dict(type='mmpretrain.PackInputs')
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='PadToSquare'),
    dict(type='mmpretrain.Resize', scale=(224, 224), backend='pillow'),
    dict(type='mmpretrain.PackInputs')
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
