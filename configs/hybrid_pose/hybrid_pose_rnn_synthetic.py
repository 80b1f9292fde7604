"""The recurrent network alone in small on the embedded set.

Ours: not run.
    python tools/train.py configs/hybrid_pose/hybrid_pose_rnn_synthetic.py
"""
_base_ = [
    '../_base_/models/hybrid_pose_rnn.py', '../_base_/datasets/synthetic_pose_bins.py',
    '../_base_/schedules/adam_onecycle.py', '../_base_/pose_runtime.py'
]

model = dict(backbone=dict(base_channels=8), head=dict(codec=dict(subpixel=True)))

train_dataloader = dict(dataset=dict(step_ms=700))
