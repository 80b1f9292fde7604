"""The hybrid of CNN and RNN in small on the embedded set.

Ours: not run.
After hybrid_pose_cnn_synthetic.py and hybrid_pose_rnn_synthetic.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-rnn_synthetic.py
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-rnn.py', '../_base_/datasets/synthetic_pose.py',
    '../_base_/schedules/adam_onecycle.py', '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(
        base_channels=12,
        init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_synthetic/epoch_5.pth')),
    network=dict(
        base_channels=8,
        init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_rnn_synthetic/epoch_1.pth')),
    head=dict(codec=dict(subpixel=True)))

train_dataloader = dict(dataset=dict(step_ms=300))
optim_wrapper = dict(clip_grad=dict(max_norm=1))
