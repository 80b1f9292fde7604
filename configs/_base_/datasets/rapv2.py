"""RAPv2, the first of its five partitions: 67,943 images to train, 16,985 to test, 54 attributes."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/rapv2'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='rapv2.json', data_prefix=dict(img='RAP_dataset')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='rapv2.json', data_prefix=dict(img='RAP_dataset')))
test_dataloader = val_dataloader
