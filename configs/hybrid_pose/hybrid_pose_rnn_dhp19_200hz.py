"""The recurrent network alone on DHP19 at 200 Hz: 20 bins of 5 ms; every second one has a label.

No published figure. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_rnn_dhp19_200hz.py
"""
_base_ = ['./hybrid_pose_rnn_dhp19.py']

fast = dict(bin_ms=5)
train_dataloader = dict(dataset=fast)
val_dataloader = dict(dataset=fast)
test_dataloader = dict(dataset=fast)
