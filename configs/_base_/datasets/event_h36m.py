"""Event-Human3.6m, 320x256: subjects 1, 5, 6 and 7 to train, 8 to choose by, 9 and 11 to test; all four cameras.

Windows of 200 ms in bins of 10 ms, 100 ms from one to the next; labels every 20 ms, at the ends of every second bin. A
CNN is given the RGB image of a window's start. Published: trained on 1, 5, 6, 7 and 8, the checkpoint chosen on the
subjects of the test.

For a hybrid, which is given both; event_h36m_frames.py is for its CNN alone, event_h36m_bins.py for a spiking or
recurrent network alone, event_h36m_grey.py and event_h36m_events.py are for CNNs that see other things.
"""
data_root = 'data/event_h36m'
dataset = dict(
    type='EventH36MDataset', data_root=data_root, cameras=(0, 1, 2, 3), window_ms=200, bin_ms=10, step_ms=100,
    images='rgb', image_root='videos')

train_pipeline = [
    dict(type='LoadEvents'),
    dict(type='EventsToBins'),
    dict(type='LoadFrameImages', color='rgb', at=('start', 'stop')),
    dict(type='PackPose')
]
test_pipeline = [
    dict(type='LoadEvents'),
    dict(type='EventsToBins'),
    dict(type='LoadFrameImages', color='rgb'),
    dict(type='PackPose')
]

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**dataset, subjects=(1, 5, 6, 7), pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, subjects=(8, ), pipeline=test_pipeline, test_mode=True))
test_dataloader = dict(
    batch_size=4,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, subjects=(9, 11), pipeline=test_pipeline, test_mode=True))

val_evaluator = dict(type='PoseMetric')
test_evaluator = dict(type='PoseMetric')
