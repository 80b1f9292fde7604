"""The hybrid as published, defects and all: loader, labels, loss, subjects; converted checkpoints run with this.

Published: 5.19 px, mean of the bins, the epoch chosen on the test. Ours: not run (no data set, no GPU).
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19_legacy.py
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-snn.py', '../_base_/datasets/dhp19_legacy.py', '../_base_/schedules/adam_10e.py',
    '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_dhp19/epoch_10.pth')),
    network=dict(
        init_cfg=dict(
            type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_snn_dhp19/epoch_10.pth',
            skip=('readout.norm', ))),
    head=dict(codec=dict(legacy=True), loss=dict(legacy=True)))

optim_wrapper = dict(optimizer=dict(lr=5e-5))
randomness = dict(seed=2022)
