"""The CNN of DHP19 (218,592 parameters), on one grey image of events; trained on maps of sigma 4."""
model = dict(
    type='PoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=4),
    backbone=dict(type='CalabreseCNN', in_channels=1, out_channels=13, base_channels=16),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=4.0), loss=dict(type='HeatmapMSELoss')))
