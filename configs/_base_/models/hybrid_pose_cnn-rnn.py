"""The hybrid of two artificial networks: a CNN sets output and hidden maps of a ConvLSTM U-Net (30.7 M parameters)."""
model = dict(
    type='HybridPoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=32),
    cnn=dict(type='PoseUNet', in_channels=20, out_channels=13, base_channels=32),
    network=dict(type='ConvLSTMUNet', in_channels=2, out_channels=13, base_channels=32),
    initializer=dict(type='StateInitializer', sources=dict(hidden0='down1', hidden1='down2', hidden2='down3')),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=2.0), loss=dict(type='HeatmapMSELoss')),
    output_decay=0.8,
    freeze_cnn=True)
