"""event_h36m_grey.py for a CNN alone."""
_base_ = ['./event_h36m_grey.py']

pipeline = [dict(type='LoadEvents'), dict(type='LoadFrameImages', color='grey'), dict(type='PackPose')]

train_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
