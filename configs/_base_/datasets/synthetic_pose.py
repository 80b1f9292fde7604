"""A figure in motion seen by two simulated event cameras of 64x64: 100 recordings to train, 16 to choose by, 16 to test.

Of 4 s each, simulated on first use (126 MB, 71 s of processor time). 13 joints, five motions, another person in each
recording. Windows of 100 ms in bins of 10 ms; the pose moves by 3 pixels on average in a window. Labels are those of a
bin's end. The CNN sees the last 800 events.
"""
data_root = 'data/synthetic_poses'
history = dict(count=800)

train_pipeline = [
    dict(type='LoadEvents', history=history),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', at=('start', 'stop'), bins=10),
    dict(type='PackPose')
]
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='SyntheticPoses', data_root=data_root, split='train', cameras=(3, 2), step_ms=200, random_start_ms=10,
        history=history, label_lag_ms=0, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SyntheticPoses', data_root=data_root, split='val', cameras=(3, 2), history=history, label_lag_ms=0,
        pipeline=test_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SyntheticPoses', data_root=data_root, split='test', cameras=(3, 2), history=history, label_lag_ms=0,
        pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='PoseMetric')
test_evaluator = dict(type='PoseMetric')
