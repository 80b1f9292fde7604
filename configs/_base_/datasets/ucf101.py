"""UCF101, split 1, as ReSpike's published command reads it: windows of 16 consecutive frames, batch 32.

In training each window that does not overlap another is a sample; in testing all windows of a video are averaged, so
that videos differ in their number of clips and come one per batch. Lists: tools/dataset_converters/ucf101.py. Splits 2
and 3: docs/datasets.md.
"""
data_root = 'data/ucf101'

train_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleWindows', clip_len=16),
    dict(type='VideoDecode'),
    dict(type='mmaction.RandomResizedCrop', area_range=(0.08, 1.0), aspect_ratio_range=(3 / 4, 4 / 3)),
    dict(type='mmaction.Resize', scale=(224, 224), keep_ratio=False),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='PackClip')
]
test_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleWindows', clip_len=16, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(-1, 224)),
    dict(type='mmaction.CenterCrop', crop_size=224),
    dict(type='PackClip')
]
# tools/test.py --tta: 10 clips x 3 crops
tta_pipeline = [
    dict(type='VideoInit'),
    dict(type='SampleWindows', clip_len=16, test_mode=True, max_clips=10),
    dict(type='VideoDecode'),
    dict(type='mmaction.Resize', scale=(-1, 224)),
    dict(type='mmaction.ThreeCrop', crop_size=224),
    dict(type='PackClip')
]

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        data_root=data_root,
        ann_file='ucf101_train_split_1_videos.txt',
        data_prefix=dict(video='videos'),
        window=16,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        data_root=data_root,
        ann_file='ucf101_val_split_1_videos.txt',
        data_prefix=dict(video='videos'),
        pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = dict(type='ActionMetric', topk=(1, 5))
test_evaluator = val_evaluator
