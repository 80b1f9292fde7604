"""PA-100K: 90,000 images to train (train and val), 10,000 to test, 26 attributes."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/pa100k'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='pa100k.json', data_prefix=dict(img='data')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='pa100k.json', data_prefix=dict(img='data')))
test_dataloader = val_dataloader
