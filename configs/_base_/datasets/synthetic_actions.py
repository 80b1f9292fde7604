"""Rendered actions, written as video files on first use: 2,000 training and 240 held-out clips, 8 classes, 92 MB.

8 frames of 64x64 (the Resize is for videos of another size). No flips: they would change the label. The scene is a
torus, so any wrap-around shift is legal.
"""
data_root = 'data/synthetic_actions'

train_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleSegments', num_segments=8),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(64, 64), keep_ratio=False),
    dict(type='RandomWrapShift'),
    dict(type='RandomChannelPermutation'),
    dict(type='PackClip')
]
test_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleSegments', num_segments=8, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(64, 64), keep_ratio=False),
    dict(type='PackClip')
]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='SyntheticActions', data_root=data_root, split='train', num_clips=2000, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SyntheticActions', data_root=data_root, split='test', num_clips=240, pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='ActionMetric', topk=(1, ))
test_evaluator = val_evaluator
