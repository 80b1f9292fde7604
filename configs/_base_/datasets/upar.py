"""UPAR, partition 0: PA-100K, PETA, RAPv2 and Market-1501 under 40 attributes that they share.

Other partitions: split=train_1 and test_1, and so on to 8 (odd: train on one domain; even: leave one out).
"""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/upar'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='upar.json', data_prefix=dict(img=''), split='train'))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='upar.json', data_prefix=dict(img='')))
test_dataloader = val_dataloader
