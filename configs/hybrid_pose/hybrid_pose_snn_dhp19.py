"""The spiking network alone on DHP19, camera 3 (ablation A): 10 bins of 10 ms from rest, batch 2, Adam 5e-5.

Published: 21.38 px, mean of the bins (first 45.61, last 15.49; camera 2: 19.17). Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_snn_dhp19.py
Differs: trained without the last subject of the published training, on which the checkpoint is chosen (published: on
the subjects of the test); joints without a label do not count.
"""
_base_ = [
    '../_base_/models/hybrid_pose_snn.py', '../_base_/datasets/dhp19_bins.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

optim_wrapper = dict(optimizer=dict(lr=5e-5))
randomness = dict(seed=2022)
