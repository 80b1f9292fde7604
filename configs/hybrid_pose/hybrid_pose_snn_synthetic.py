"""The spiking network alone in small on the embedded set: the baseline of the hybrid, and where its SNN starts from.

No paper's figure. Ours (276,570 parameters), seed 0: 7.16 px on val, **7.13** on test, mean of the ten bins (the first
17.67, the last 5.49). 223 s of processor time, as in hybrid_pose_cnn_synthetic.py.
    python tools/train.py configs/hybrid_pose/hybrid_pose_snn_synthetic.py
"""
_base_ = [
    '../_base_/models/hybrid_pose_snn.py', '../_base_/datasets/synthetic_pose_bins.py',
    '../_base_/schedules/adam_onecycle.py', '../_base_/pose_runtime.py'
]

# Maps begin with the spread of their targets: a small scale of the last norm (Xavier then sets the convolution anew)
readout = dict(type='Constant', name='readout', val=0.05)
model = dict(
    backbone=dict(
        base_channels=8,
        init_cfg=[
            dict(type='Constant', val=1, override=readout),
            dict(type='Xavier', layer='Conv2d', distribution='normal')
        ]),
    head=dict(codec=dict(subpixel=True)))

train_dataloader = dict(dataset=dict(step_ms=500))
optim_wrapper = dict(optimizer=dict(lr=3e-3))
param_scheduler = dict(eta_max=3e-3)
