"""Kinetics-400 as ReSpike's published command reads it: 16 segments of a video, multi-scale crops, batch 16.

Lists of "path label": from tools/dataset_converters/kinetics.py, or mmaction2's. See docs/datasets.md.
"""
data_root = 'data/kinetics400'

train_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleSegments', num_segments=16),
    dict(type='VideoDecode'),
    dict(
        type='mmaction.MultiScaleCrop',
        input_size=224,
        scales=(1, 0.875, 0.75, 0.66),
        max_wh_scale_gap=1,
        random_crop=False,
        num_fixed_crops=13),
    dict(type='mmaction.Resize', scale=(224, 224), keep_ratio=False),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='PackClip')
]
test_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleSegments', num_segments=16, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(-1, 256)),
    dict(type='mmaction.CenterCrop', crop_size=224),
    dict(type='PackClip')
]
# tools/test.py --tta: 10 clips x 3 crops
tta_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleSegments', num_segments=16, num_clips=10, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(-1, 256)),
    dict(type='mmaction.ThreeCrop', crop_size=256),
    dict(type='PackClip')
]

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        data_root=data_root,
        ann_file='kinetics400_train_list_videos.txt',
        data_prefix=dict(video='videos_train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        data_root=data_root,
        ann_file='kinetics400_val_list_videos.txt',
        data_prefix=dict(video='videos_val'),
        pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='ActionMetric', topk=(1, 5))
test_evaluator = val_evaluator
