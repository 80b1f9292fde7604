"""UCF101, split 1, read as HMDB51: windows of 16 consecutive frames, batch 32; all windows of a video in testing.

Lists: tools/dataset_converters/ucf101.py. Splits 2 and 3: docs/datasets.md.
"""
_base_ = './hmdb51.py'

data_root = 'data/ucf101'
train_dataloader = dict(dataset=dict(data_root=data_root, ann_file='ucf101_train_split_1_videos.txt'))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='ucf101_val_split_1_videos.txt'))
test_dataloader = val_dataloader
