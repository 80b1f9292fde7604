"""RAPv1, the first of its five partitions: 33,268 images to train, 8,317 to test, 51 attributes; there is no val."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/rapv1'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='rapv1.json', data_prefix=dict(img='RAP_dataset')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='rapv1.json', data_prefix=dict(img='RAP_dataset')))
test_dataloader = val_dataloader
