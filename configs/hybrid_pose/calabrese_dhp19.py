"""The CNN of DHP19 (Calabrese et al.), on cameras 3 and 2, 344x260.

Published: 7.72 px in the comparison of the hybrid. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/calabrese_dhp19.py
The published weights are converted and tested by
    python tools/model_converters/convert.py dhp19_cnn dhp19_cnn_keras.h5 checkpoints/calabrese_dhp19.pth
    python tools/test.py configs/hybrid_pose/calabrese_dhp19.py checkpoints/calabrese_dhp19.pth
Differs: see configs/_base_/datasets/dhp19_image.py; trained by Adam, 1e-4, as the other models here.
"""
_base_ = [
    '../_base_/models/calabrese_cnn.py', '../_base_/datasets/dhp19_image.py', '../_base_/schedules/adam_10e.py',
    '../_base_/pose_runtime.py'
]

train_dataloader = dict(dataset=dict(cameras=(3, 2)))
val_dataloader = dict(dataset=dict(cameras=(3, 2)))
test_dataloader = dict(dataset=dict(cameras=(3, 2)))
