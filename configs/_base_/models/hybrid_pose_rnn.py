"""The recurrent network of the hybrid's comparisons: three ConvLSTMs (10.7 M parameters)."""
model = dict(
    type='PoseEstimator',
    data_preprocessor=dict(type='EventDataPreprocessor', size_divisor=32),
    backbone=dict(type='ConvLSTMUNet', in_channels=2, out_channels=13, base_channels=32),
    head=dict(type='HeatmapHead', codec=dict(type='HeatmapCodec', sigma=2.0), loss=dict(type='HeatmapMSELoss')))
