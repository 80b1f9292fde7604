"""SSPNet on RAPv1, the first of its partitions: ResNet-50, ImageNet weights, 256x192, batch 50, 100 epochs, EMA.

Paper (second-hand, its backbone not stated): mA / accuracy / precision / recall / F1 of means = 83.24 / 70.21 / 80.14
/ 82.90 / 81.50. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_rapv1.py
Differs from the published run on PA-100K: the release has no val, so the last 3,268 of the 33,268 images to train are
kept for choosing the checkpoint and lowering the learning rate (published: all chosen on test).
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=51))
dataset = dict(data_root='data/rapv1', ann_file='rapv1.json', data_prefix=dict(img='RAP_dataset'))
train_dataloader = dict(batch_size=50, dataset=dict(split='trainval', indices=30000, **dataset))
val_dataloader = dict(dataset=dict(split='trainval', indices=-3268, **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
randomness = dict(seed=605)
