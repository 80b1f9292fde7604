"""The CNN on DHP19, camera 3: U-Net on the last 7,500 events, batch 8, Adam 1e-4.

Published: 5.03 px at 10 Hz and at 100 Hz (camera 2: 4.67). Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn_dhp19.py
Differs: trained without the last subject of the published training, on which the checkpoint is chosen (published: on
the subjects of the test); joints without a label do not count.
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn.py', '../_base_/datasets/dhp19_frames.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

randomness = dict(seed=2022)
