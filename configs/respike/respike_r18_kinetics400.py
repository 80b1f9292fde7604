"""ReSpike, ResNet-18, Kinetics-400: 16 frames, stride 2, down-sampled fusion, batch 16.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r18_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(
    backbone=dict(
        ann=dict(
            depth=18, init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet18.default'))),
    head=dict(in_channels=512 + 512))
