"""PETA, the first of its five partitions: 11,400 images to train (train and val), 7,600 to test, 35 attributes."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/peta'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='peta.json', data_prefix=dict(img='images')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='peta.json', data_prefix=dict(img='images')))
test_dataloader = val_dataloader
