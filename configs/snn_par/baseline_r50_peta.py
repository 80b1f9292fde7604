"""The strong baseline on PETA: ResNet-50, ImageNet weights, one linear layer, 256x192, batch 64, 30 epochs.

Its README: mA / accuracy / precision / recall / F1 of means = 83.96 / 78.65 / 87.08 / 85.62 / 86.35.
Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/baseline_r50_peta.py
Differs from the published run: the learning rate falls when mA stops rising (published: when the loss on the test set
stops falling).
"""
_base_ = [
    '../_base_/models/baseline_r50_attributes.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_30e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=35))
dataset = dict(data_root='data/peta', ann_file='peta.json', data_prefix=dict(img='images'))
train_dataloader = dict(batch_size=64, dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
auto_scale_lr = dict(base_batch_size=64)
randomness = dict(seed=605)
