"""ReSpike, ResNet-50, Kinetics-400: 16 frames, stride 2, down-sampled fusion, batch 16.

Paper: top-1 70.1 (stride of that figure not stated). Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50_kinetics400.py
Differs from the published run: frames are normalised per colour channel, and validation takes the centre of each
segment instead of a random frame. docs/deviations.md has the switches.
"""
_base_ = [
    '../_base_/models/respike_r50.py', '../_base_/datasets/kinetics400.py', '../_base_/schedules/sgd_cosine_100e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        stride=2, ann=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default'))),
    head=dict(num_classes=400))
auto_scale_lr = dict(base_batch_size=16)
