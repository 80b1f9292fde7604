"""The CNN of the hybrid in small on the embedded set: stage 1.

No paper's figure. Ours (2,796,409 parameters), seed 0: error on val 1.78, 1.24, 0.99, 0.85, **0.82** px after epochs 1
to 5; on test, with a frame at the end of every bin, **1.01** px, 44.4 mm by two cameras. 565 s of processor time in one
thread of an Intel Xeon that other programs used too, start, validation and data worker included (PyTorch 2.14.1).
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
