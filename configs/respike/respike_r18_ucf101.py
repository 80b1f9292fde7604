"""ReSpike, ResNet-18, UCF-101 split 1: 16 consecutive frames, stride 4, down-sampled fusion, batch 32.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r18_ucf101.py
"""
_base_ = './respike_r50_ucf101.py'

model = dict(
    backbone=dict(
        ann=dict(
            depth=18, init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet18.default'))),
    head=dict(in_channels=512 + 512))
