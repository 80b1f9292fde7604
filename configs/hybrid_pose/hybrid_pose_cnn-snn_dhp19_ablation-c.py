"""Ablation C: the CNN sets the output alone; the membranes of the SNN start from rest.

Published: 5.85 px, mean of the bins. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_dhp19.py and
hybrid_pose_snn_dhp19.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19_ablation-c.py
"""
_base_ = ['./hybrid_pose_cnn-snn_dhp19.py']

model = dict(initializer=None, state_loss=0.0)
