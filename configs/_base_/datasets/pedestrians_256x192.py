"""Images of pedestrians at 256x192 (height, width), as the strong baseline and SSPNet take them."""
_base_ = ['./pedestrians_256x128.py']

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(192, 256), backend='pillow'),  # width, height
    dict(type='PersonCrop', crop_size=(256, 192), padding=10),
    dict(type='mmpretrain.RandomFlip', prob=0.5),
    dict(type='PackPerson')
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.Resize', scale=(192, 256), backend='pillow'),
    dict(type='PackPerson')
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
