"""The hybrid of CNN (RGB, 5 Hz, frozen) and RNN (100 Hz, decay 0.9) on Event-Human3.6m, batch 2, Adam 1e-4.

No published figure. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_h36m.py and hybrid_pose_rnn_h36m.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-rnn_h36m.py
Differs: subject 8 is not trained on, the checkpoint is chosen on it (published: on the subjects of the test).
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-rnn.py', '../_base_/datasets/event_h36m.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(
        in_channels=3,
        init_cfg=dict(
            type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_h36m/epoch_10.pth')),
    network=dict(init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_rnn_h36m/epoch_10.pth')),
    output_decay=0.9)

randomness = dict(seed=2022)
