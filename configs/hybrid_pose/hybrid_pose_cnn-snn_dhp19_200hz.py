"""The hybrid of CNN and SNN on DHP19 at 200 Hz: 20 bins of 5 ms, tau 5, decay 0.9; every second bin has a label.

Published: 5.17 px, mean of the bins. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_dhp19.py and
hybrid_pose_snn_dhp19_200hz.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19_200hz.py
Differs: labels belong to the bins of their moment (the published loader pairs bin i of 5 ms with label i of 10 ms).
"""
_base_ = ['./hybrid_pose_cnn-snn_dhp19.py']

model = dict(
    network=dict(
        neuron=dict(tau=5.0), init_cfg=dict(checkpoint='work_dirs/hybrid_pose_snn_dhp19_200hz/epoch_10.pth')),
    output_decay=0.9)
fast = dict(bin_ms=5)
train_dataloader = dict(dataset=fast)
val_dataloader = dict(dataset=fast)
test_dataloader = dict(dataset=fast)
