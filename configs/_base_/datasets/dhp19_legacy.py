"""dhp19.py as published: bins from the first event of a window to its last, whole pixels, fewer windows.

And subjects 1 to 12 to train; the subjects of the test to choose by.
"""
_base_ = ['./dhp19.py']

count = 7500
train_pipeline = [
    dict(type='LoadEvents', count=count, legacy=True),
    dict(type='EventsToBins', kind='histogram'),
    dict(type='EventsToFrames', count=count, bins=10, at=('start', 'stop')),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]
test_pipeline = [
    dict(type='LoadEvents', count=count, legacy=True),
    dict(type='EventsToBins', kind='histogram'),
    dict(type='EventsToFrames', count=count, bins=10),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]
subjects = (13, 14, 15, 16, 17)

train_dataloader = dict(
    dataset=dict(legacy=True, subjects=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(legacy=True, subjects=subjects, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(legacy=True, subjects=subjects, pipeline=test_pipeline))
