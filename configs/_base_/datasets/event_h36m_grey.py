"""event_h36m.py with the grey images of the simulator, at their own times, in place of RGB images."""
_base_ = ['./event_h36m.py']

train_pipeline = [
    dict(type='LoadEvents'),
    dict(type='EventsToBins'),
    dict(type='LoadFrameImages', color='grey', at=('start', 'stop')),
    dict(type='PackPose')
]
test_pipeline = [
    dict(type='LoadEvents'),
    dict(type='EventsToBins'),
    dict(type='LoadFrameImages', color='grey'),
    dict(type='PackPose')
]

train_dataloader = dict(dataset=dict(images='grey', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(images='grey', pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(images='grey', pipeline=test_pipeline))
