"""SSPNet on PA-100K: ResNet-50, ImageNet weights, 256x192, batch 50, 100 epochs, EMA.

Paper (second-hand, its backbone not stated): mA / accuracy / precision / recall / F1 of means = 83.58 / 80.63 / 87.79
/ 89.32 / 88.55. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_pa100k.py
Differs from the published run: trained on train, the checkpoint chosen and the learning rate lowered by val, figures
on test (published: trained on train and val, all chosen on test); the groups are those of the annotation file.
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=26))
dataset = dict(data_root='data/pa100k', ann_file='pa100k.json', data_prefix=dict(img='data'))
train_dataloader = dict(batch_size=50, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
randomness = dict(seed=605)
