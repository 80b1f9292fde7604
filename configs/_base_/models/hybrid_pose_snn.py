"""The spiking network alone: its output is the membrane of the last layer (4.4 M parameters)."""
model = dict(
    type='PoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=32),
    backbone=dict(
        type='SpikingUNet', in_channels=2, out_channels=13, base_channels=32,
        neuron=dict(
            type='LIF', tau=2.0, v_threshold=1.0, v_reset=None, detach_reset=False, surrogate='atan', alpha=2.0),
        readout_neuron=dict(type='LeakyIntegrator', tau=2.0)),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=2.0), loss=dict(type='HeatmapMSELoss')))
