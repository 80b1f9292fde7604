"""The hybrid of CNN and SNN on DHP19, camera 3 (ablation D): CNN at 10 Hz, frozen, SNN at 100 Hz, batch 2, Adam 5e-5.

Published: 5.19 px, mean of the bins (first 5.16, last 5.17; camera 2: 4.97), the CNN's pose held 5.84. Ours: not run
(no data set, no GPU). After hybrid_pose_cnn_dhp19.py and hybrid_pose_snn_dhp19.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19.py
Differs: trained without the last subject of the published training, on which the checkpoint is chosen (published: on
the subjects of the test); joints without a label do not count.
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-snn.py', '../_base_/datasets/dhp19.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_dhp19/epoch_10.pth')),
    network=dict(
        init_cfg=dict(
            type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_snn_dhp19/epoch_10.pth',
            skip=('readout.norm', ))))

optim_wrapper = dict(optimizer=dict(lr=5e-5))
randomness = dict(seed=2022)
