"""The CNN on Event-Human3.6m: U-Net on RGB images, batch 32, Adam 1e-4.

Published: 4.19 px. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn_h36m.py
Differs: subject 8 is not trained on, the checkpoint is chosen on it (published: on the subjects of the test).
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn.py', '../_base_/datasets/event_h36m_frames.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

model = dict(backbone=dict(in_channels=3))
randomness = dict(seed=2022)
