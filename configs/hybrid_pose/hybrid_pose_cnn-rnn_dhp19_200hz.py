"""The hybrid of CNN and RNN on DHP19 at 200 Hz: 20 bins of 5 ms, decay 0.9; every second bin has a label.

No published figure. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_dhp19.py and
hybrid_pose_rnn_dhp19_200hz.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-rnn_dhp19_200hz.py
"""
_base_ = ['./hybrid_pose_cnn-rnn_dhp19.py']

model = dict(
    network=dict(init_cfg=dict(checkpoint='work_dirs/hybrid_pose_rnn_dhp19_200hz/epoch_10.pth')), output_decay=0.9)
fast = dict(bin_ms=5)
train_dataloader = dict(dataset=fast)
val_dataloader = dict(dataset=fast)
test_dataloader = dict(dataset=fast)
