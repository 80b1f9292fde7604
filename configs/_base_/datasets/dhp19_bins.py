"""dhp19.py for a network that is given bins alone."""
_base_ = ['./dhp19.py']

pipeline = [
    dict(type='LoadEvents'),
    dict(type='EventsToBins'),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]

train_dataloader = dict(dataset=dict(pipeline=pipeline))
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
