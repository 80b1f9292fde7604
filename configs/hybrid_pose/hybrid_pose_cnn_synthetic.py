"""The CNN of the hybrid in small on the embedded set: stage 1.

    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn_synthetic.py
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn.py', '../_base_/datasets/synthetic_pose_frames.py',
    '../_base_/schedules/adam_onecycle.py', '../_base_/pose_runtime.py'
]

model = dict(backbone=dict(base_channels=12), head=dict(codec=dict(subpixel=True)))

epochs = 5
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs)
