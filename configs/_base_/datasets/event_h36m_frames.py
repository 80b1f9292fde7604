"""event_h36m.py for a CNN alone, on RGB images."""
_base_ = ['./event_h36m.py']

pipeline = [dict(type='LoadEvents'), dict(type='LoadFrameImages', color='rgb'), dict(type='PackPose')]

train_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
