"""What every run has in common: hooks, environment, logs.

Needs an EpochBasedTrainLoop and a metric ``acc/top1``; attribute_runtime.py is the same for attributes.
"""
default_scope = 'mmspike'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=3, save_best='acc/top1', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),  # all processes validate, and save, the same BatchNorm statistics
    visualization=dict(type='VisualizationHook', enable=False),
    # Exact resume; a checkpoint of another model and a label outside the classes are errors. Here, as a config's own
    # custom_hooks replace those of its base.
    epoch_seed=dict(type='EpochSeedHook'),
    checkpoint_check=dict(type='CheckpointCheckHook'),
    num_classes=dict(type='NumClassesHook'),
    positive_ratio=dict(type='PositiveRatioHook'),  # for losses that weigh attributes by their rarity
    attribute_groups=dict(type='AttributeGroupsHook'),  # for heads that look for each group in its own place
    attribute_phrases=dict(type='AttributePhrasesHook'))  # for heads that write attributes as a sequence

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))  # on a machine without a GPU: gloo

visualizer = dict(
    type='ActionVisualizer', vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
log_level = 'INFO'

load_from = None
resume = False
randomness = dict(seed=0)
