"""RAP-ZS, the first of its divisions: RAPv2 with no person in two splits; 21,710 images to train, 4,928 to test."""
_base_ = ['./pedestrians_256x128.py']

data_root = 'data/rapv2'

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='rap_zs.json', data_prefix=dict(img='RAP_dataset')))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='rap_zs.json', data_prefix=dict(img='RAP_dataset')))
test_dataloader = val_dataloader
