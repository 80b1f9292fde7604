"""A figure in motion before two simulated event cameras of 64x64: 100 recordings to train, 16 to choose by, 16 to test.

Of 4 s each, simulated on first use (126 MB, 71 s of processor time). 13 joints, five motions, another person in each
recording. Windows of 100 ms in bins of 10 ms; their labels are the poses at the ends of the bins. A CNN is given the
last 800 events. An epoch has 3,600 windows, each moved by a random part of the 200 ms to the next.

For a hybrid, which is given both; synthetic_pose_frames.py is for its CNN alone, synthetic_pose_bins.py for a spiking
or recurrent network alone.
"""
data_root = 'data/synthetic_poses'
count = 800
dataset = dict(
    type='SyntheticPoses', data_root=data_root, cameras=(3, 2), window_ms=100, bin_ms=10, history=dict(count=count),
    label_lag_ms=0)

pipeline = [
    dict(type='LoadEvents', count=count),
    dict(type='EventsToBins'),
    dict(type='EventsToFrames', count=count, bins=10),
    dict(type='PackPose')
]

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**dataset, split='train', step_ms=200, random_start_ms=10, pipeline=pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, split='val', step_ms=400, pipeline=pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, split='test', step_ms=200, pipeline=pipeline, test_mode=True))

val_evaluator = dict(type='PoseMetric')
test_evaluator = dict(type='PoseMetric')
