"""synthetic_pose.py for a network that is given bins alone."""
_base_ = ['./synthetic_pose.py']

pipeline = [dict(type='LoadEvents'), dict(type='EventsToBins'), dict(type='PackPose')]

train_dataloader = dict(dataset=dict(pipeline=pipeline))
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
