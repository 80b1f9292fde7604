"""The spiking twin: neck and head of SSPNet on a Spikingformer 8-384, T = 4, 256x192, from scratch, on PA-100K.

Maps of strides 4, 8 and 16 from the tokenizer and the one of the last block. Neck and head are not spiking.
Paper: none, the combination is ours. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_spikingformer_pa100k.py
"""
_base_ = [
    '../_base_/models/sspnet_r50.py', '../_base_/datasets/pedestrians_256x192.py',
    '../_base_/schedules/adam_plateau_100e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(_delete_=True, type='Spikingformer', arch='8-384', num_steps=4, out_indices=(1, 2, 3, 4)),
    head=dict(num_attributes=26))
dataset = dict(data_root='data/pa100k', ann_file='pa100k.json', data_prefix=dict(img='data'))
train_dataloader = dict(batch_size=50, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
randomness = dict(seed=605)
