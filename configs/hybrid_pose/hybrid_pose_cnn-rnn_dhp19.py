"""The hybrid of CNN and RNN on DHP19, camera 3: CNN at 10 Hz, frozen, RNN at 100 Hz, batch 2, Adam 1e-4.

Published: 5.63 px, mean of the bins, with frames of constant duration. Ours: not run (no data set, no GPU). After
hybrid_pose_cnn_dhp19.py and hybrid_pose_rnn_dhp19.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-rnn_dhp19.py
Differs: trained without the last subject of the published training, on which the checkpoint is chosen (published: on
the subjects of the test); joints without a label do not count.
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-rnn.py', '../_base_/datasets/dhp19.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_dhp19/epoch_10.pth')),
    network=dict(
        init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_rnn_dhp19/epoch_10.pth')))

randomness = dict(seed=2022)
