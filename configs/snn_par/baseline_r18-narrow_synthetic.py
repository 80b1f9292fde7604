"""ResNet-18 of width 16 on the embedded set of drawn pedestrians, images of 128x64; also the teacher of the student.

    python tools/train.py configs/snn_par/baseline_r18-narrow_synthetic.py
"""
_base_ = [
    '../_base_/models/baseline_r50_attributes.py', '../_base_/datasets/synthetic_pedestrians.py',
    '../_base_/schedules/adamw_onecycle.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16), head=dict(num_attributes=12, in_channels=128))
