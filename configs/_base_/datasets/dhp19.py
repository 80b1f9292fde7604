"""DHP19 at 100 Hz, cropped to 256x256: subjects 1 to 11 to train, 12 to choose by, 13 to 17 to test; camera 3.

Windows of 100 ms in bins of 10 ms. A CNN is given the last 7,500 events, at the start of a window and, for a loss
between states, at its end. Published: trained on 1 to 12, the checkpoint chosen on the subjects of the test.

For a hybrid, which is given both; dhp19_frames.py is for its CNN alone, dhp19_bins.py for a spiking or recurrent
network alone. Camera 2: train_dataloader.dataset.cameras=(2,) and the same for val and test; (3, 2) for both, of which
the metric triangulates.
"""
data_root = 'data/dhp19'
count = 7500
dataset = dict(
    type='DHP19Dataset', data_root=data_root, cameras=(3, ), window_ms=100, bin_ms=10, step_ms=100,
    history=dict(count=count))

train_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', count=count, bins=10, at=('start', 'stop')),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]
test_pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', count=count, bins=10),
    dict(type='CropEvents', size=(256, 256), origin=(34, 2)),
    dict(type='PackPose')
]

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**dataset, subjects=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, subjects=(12, ), pipeline=test_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=4,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, subjects=(13, 14, 15, 16, 17), pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='PoseMetric')
test_evaluator = dict(type='PoseMetric')
