"""The CNN of the hybrid: a U-Net on 10 bins of both polarities, 13 joints (19.8 M parameters)."""
model = dict(
    type='PoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=32),
    backbone=dict(type='PoseUNet', in_channels=20, out_channels=13, base_channels=32),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=2.0), loss=dict(type='HeatmapMSELoss')))
