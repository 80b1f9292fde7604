"""The hybrid: a CNN that sets output and membranes, a spiking network that adds to the output (24.8 M parameters)."""
model = dict(
    type='HybridPoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=32),
    cnn=dict(type='PoseUNet', in_channels=20, out_channels=13, base_channels=32),
    network=dict(
        type='SpikingUNet', in_channels=2, out_channels=13, base_channels=32,
        neuron=dict(
            type='LIF', tau=3.0, v_threshold=1.0, v_reset=None, detach_reset=False, surrogate='atan', alpha=2.0),
        readout_neuron=None),
    initializer=dict(
        type='StateInitializer',
        sources=dict(
            stem='stem', down1='down1', down2='down2', down3='down3', residual1='up1', residual2='up2', up1='up3',
            up2='up4', up3='up5')),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=2.0), loss=dict(type='HeatmapMSELoss')),
    output_decay=0.8,
    state_loss=0.05,
    freeze_cnn=True)
