"""ReSpike with ResNet-50 on the key frames, from scratch; a leaf adds ImageNet weights and the number of classes."""
model = dict(
    type='ActionRecognizer',
    data_preprocessor=dict(
        type='ClipDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type='ReSpike',
        ann=dict(type='mmpretrain.ResNet', depth=50, out_indices=(0, 1, 2, 3), zero_init_residual=False),
        snn=dict(
            type='SpikingResNet',
            base_channels=64,
            neuron=dict(
                type='LIF', tau=4 / 3, v_threshold=1.0, v_reset=0.0, detach_reset=True, surrogate='atan', alpha=2.0),
            norm=dict(type='StepBatchNorm2d')),
        fusion=dict(type='CrossAttentionFusion', head_dim=32),
        fusion_pooling=(4, 2, 1, 1),
        stride=4),
    head=dict(type='ActionHead', num_classes=400, in_channels=2048 + 512))
