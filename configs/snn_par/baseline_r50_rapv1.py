"""The strong baseline on RAPv1: ResNet-50, ImageNet weights, one linear layer, 256x192, batch 64, 30 epochs.

Its README: mA / accuracy / precision / recall / F1 of means = 79.27 / 67.98 / 80.19 / 79.71 / 79.95.
Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/baseline_r50_rapv1.py
Differs from the published run: the learning rate falls when mA stops rising (published: when the loss on the test set
stops falling).
"""
_base_ = [
    '../_base_/models/baseline_r50_attributes.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_30e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=51))
dataset = dict(data_root='data/rapv1', ann_file='rapv1.json', data_prefix=dict(img='RAP_dataset'))
train_dataloader = dict(batch_size=64, dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
auto_scale_lr = dict(base_batch_size=64)
randomness = dict(seed=605)
