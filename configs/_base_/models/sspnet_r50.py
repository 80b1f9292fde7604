"""SSPNet on ResNet-50, from scratch; a leaf adds ImageNet weights and the number of attributes.

Groups of attributes, their regions and their scales are those of the data set.
"""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
        to_rgb=True),
    backbone=dict(type='mmpretrain.ResNet', depth=50, out_indices=(0, 1, 2, 3)),
    neck=dict(type='SSPNetNeck', out_channels=256),
    head=dict(type='SSPNetHead', num_attributes=26, in_channels=256, loss=dict(type='WeightedBCELoss')))
# A map that no group of the data set is read from gets no gradient; DistributedDataParallel has to be told
find_unused_parameters = True
