"""synthetic_pose.py for a CNN alone.

It learns, and is chosen by, the pose at the moment of its frame; in the test it is given a frame at the end of every
bin, which is what a CNN at 100 Hz would see.
"""
_base_ = ['./synthetic_pose.py']

count = 800
pipeline = [dict(type='LoadEvents', count=count), dict(type='EventsToFrames', count=count), dict(type='PackPose')]
every_bin_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToFrames', count=count, at=('bins', )),
    dict(type='PackPose')
]

train_dataloader = dict(batch_size=16, dataset=dict(target='frames', pipeline=pipeline))
val_dataloader = dict(dataset=dict(target='frames', pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=every_bin_pipeline))
