"""Ablation C on the embedded set: the CNN sets the output alone; the membranes of the SNN start from rest.

Ours: not run. After hybrid_pose_cnn_synthetic.py and hybrid_pose_snn_synthetic.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_synthetic_ablation-c.py
"""
_base_ = ['./hybrid_pose_cnn-snn_synthetic.py']

model = dict(initializer=None)
