"""SSPNet on a ResNet-18 of width 16, on the embedded set of drawn pedestrians, images of 128x64; scales as published.

    python tools/train.py configs/sspnet/sspnet_synthetic.py
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/synthetic_pedestrians.py',
    '../_base_/schedules/adamw_onecycle.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16),
    neck=dict(out_channels=32),
    head=dict(num_attributes=12, in_channels=32))
