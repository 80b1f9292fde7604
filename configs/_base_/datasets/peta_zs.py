"""PETA-ZS, the first of its divisions: PETA with no person in two splits; 15,067 images to train, 3,933 to test."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/peta'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='peta_zs.json', data_prefix=dict(img='images')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='peta_zs.json', data_prefix=dict(img='images')))
test_dataloader = val_dataloader
