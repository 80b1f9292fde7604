"""event_h36m.py with the last 7,500 events in place of an image."""
_base_ = ['./event_h36m.py']

count = 7500
train_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', count=count, at=('start', 'stop')),
    dict(type='PackPose')
]
test_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', count=count),
    dict(type='PackPose')
]

train_dataloader = dict(dataset=dict(images=None, history=dict(count=count), pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(images=None, history=dict(count=count), pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(images=None, history=dict(count=count), pipeline=test_pipeline))
