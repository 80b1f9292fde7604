"""The hybrid of CNN (on the last 7,500 events, 5 Hz, frozen) and SNN on Event-Human3.6m.

No published figure. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_h36m-events.py and
hybrid_pose_snn_h36m.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_h36m-events.py
Differs: subject 8 is not trained on, the checkpoint is chosen on it (published: on the subjects of the test).
"""
_base_ = [
    '../_base_/models/hybrid_pose_cnn-snn.py', '../_base_/datasets/event_h36m_events.py',
    '../_base_/schedules/adam_10e.py', '../_base_/pose_runtime.py'
]

model = dict(
    cnn=dict(
        in_channels=20,
        init_cfg=dict(type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_cnn_h36m-events/epoch_10.pth')),
    network=dict(
        neuron=dict(tau=5.0),
        init_cfg=dict(
            type='mmspike.StageWeights', checkpoint='work_dirs/hybrid_pose_snn_h36m/epoch_10.pth',
            skip=('readout.norm', ))),
    output_decay=0.9)

optim_wrapper = dict(optimizer=dict(lr=5e-5))
randomness = dict(seed=2022)
