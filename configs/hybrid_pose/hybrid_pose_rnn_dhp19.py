"""The recurrent network alone on DHP19, camera 3: 10 bins of 10 ms from rest, batch 2, Adam 1e-4.

Published: 8.02 px, mean of the bins, with frames of constant duration. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_rnn_dhp19.py
Differs: trained without the last subject of the published training, on which the checkpoint is chosen (published: on
the subjects of the test); joints without a label do not count.
"""
_base_ = [
    '../_base_/models/hybrid_pose_rnn.py', '../_base_/datasets/dhp19_bins.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

randomness = dict(seed=2022)
