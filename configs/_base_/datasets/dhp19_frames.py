"""dhp19.py for a CNN alone.

It learns, and is chosen by, the pose at the moment of its frame; in the test it is given a frame at the end of every
bin, which is what a CNN at 100 Hz would see.
"""
_base_ = ['./dhp19.py']

count = 7500
pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToFrames', count=count),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]
every_bin_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToFrames', count=count, at=('bins', )),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]

train_dataloader = dict(batch_size=8, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=every_bin_pipeline))
