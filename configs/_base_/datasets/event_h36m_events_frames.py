"""event_h36m_events.py for a CNN alone."""
_base_ = ['./event_h36m_events.py']

count = 7500
pipeline = [dict(type='LoadEvents', count=count), dict(type='EventsToFrames', count=count), dict(type='PackPose')]

train_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(batch_size=32, dataset=dict(target='frames', pipeline=pipeline))
