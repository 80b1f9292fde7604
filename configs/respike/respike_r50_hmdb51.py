"""ReSpike, ResNet-50, HMDB-51 split 1: 16 consecutive frames, stride 4, down-sampled fusion, batch 32.

Paper: figure not verified, see README.md. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50_hmdb51.py
Differs from the published run: accuracy is per video (all its windows averaged), not per window. Splits 2 and 3: see
docs/datasets.md.
"""
_base_ = [
    '../_base_/models/respike_r50.py', '../_base_/datasets/hmdb51.py', '../_base_/schedules/sgd_cosine_100e.py',
    '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        stride=4, ann=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default'))),
    head=dict(num_classes=51))
auto_scale_lr = dict(base_batch_size=32)
