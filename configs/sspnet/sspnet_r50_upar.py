"""SSPNet on UPAR, 40 attributes of four data sets: ResNet-50, ImageNet weights, 256x192, batch 50, 100 epochs, EMA.

Partition 0: all domains, figures per domain and their mean in one run.
Paper: no figures known to us. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_upar.py
Partitions 1, 3, 5, 7 train on one domain and test on the others, 2, 4, 6, 8 leave one out:
    python tools/train.py configs/sspnet/sspnet_r50_upar.py --work-dir work_dirs/upar_2 --cfg-options \\
        train_dataloader.dataset.split=train_2 val_dataloader.dataset.split=val_2 test_dataloader.dataset.split=test_2
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    backbone=dict(init_cfg=dict(type='mmspike.ImageNetWeights', checkpoint='torchvision://resnet50.default')),
    head=dict(num_attributes=40))
dataset = dict(data_root='data/upar', ann_file='upar.json', data_prefix=dict(img=''))
train_dataloader = dict(batch_size=50, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
test_evaluator = dict(by='domain')
randomness = dict(seed=605)
