"""dhp19.py for the CNN of DHP19: grey images of the last 7,500 events, 344x260, one pose each.

In the release a frame ends when 30,000 events have come over the four cameras together, and its label is the mean over
its time; here it has 7,500 of its own camera, and the label of its end.
"""
_base_ = ['./dhp19.py']

count = 7500
pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToFrames', count=count, kind='image'),
    dict(type='CropEvents', size=(260, 344)),
    dict(type='PackPose')
]

train_dataloader = dict(batch_size=8, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(target='frames', pipeline=pipeline))
