"""The recurrent network alone on Event-Human3.6m: 20 bins of 10 ms from rest, batch 2, Adam 1e-4.

No published figure. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_rnn_h36m.py
Differs: subject 8 is not trained on, the checkpoint is chosen on it (published: on the subjects of the test).
"""
_base_ = [
    '../_base_/models/hybrid_pose_rnn.py', '../_base_/datasets/event_h36m_bins.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

randomness = dict(seed=2022)
