"""SSPNet on RAPv2, the first of its partitions: ResNet-50, ImageNet weights, 256x192, batch 50, 100 epochs, EMA.

Paper: not known to us. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_rapv2.py
Differs from the published run on PA-100K: trained on train, the checkpoint chosen and the learning rate lowered by
val (published: trained on train and val, all chosen on test).
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=54))
dataset = dict(data_root='data/rapv2', ann_file='rapv2.json', data_prefix=dict(img='RAP_dataset'))
train_dataloader = dict(batch_size=50, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
randomness = dict(seed=605)
