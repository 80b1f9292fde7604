"""Market-1501 with attributes: 12,936 images of 751 persons to train, 13,115 of 750 others to test, 30 attributes."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/market1501'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='market1501.json', data_prefix=dict(img=''), split='train'))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='market1501.json', data_prefix=dict(img='')))
test_dataloader = val_dataloader
