"""SSPNet on Market-1501 with attributes: ResNet-50, ImageNet weights, 256x192, batch 50, 100 epochs, EMA.

Paper: used as a domain of UPAR, no figures known to us. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_market1501.py
Differs from the published run on PA-100K: the release has no val, so the last 1,336 of the 12,936 images to train,
which show other persons but for one, are kept for choosing the checkpoint and lowering the learning rate.
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=30))
dataset = dict(data_root='data/market1501', ann_file='market1501.json', data_prefix=dict(img=''))
train_dataloader = dict(batch_size=50, dataset=dict(split='train', indices=11600, **dataset))
val_dataloader = dict(dataset=dict(split='train', indices=-1336, **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
randomness = dict(seed=605)
