"""event_h36m.py for a network that is given bins alone."""
_base_ = ['./event_h36m.py']

pipeline = [dict(type='LoadEvents'), dict(type='EventsToBins'), dict(type='PackPose')]

train_dataloader = dict(dataset=dict(images=None, pipeline=pipeline))
val_dataloader = dict(dataset=dict(images=None, pipeline=pipeline))
test_dataloader = dict(dataset=dict(images=None, pipeline=pipeline))
