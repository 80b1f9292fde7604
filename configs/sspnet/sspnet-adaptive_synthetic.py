"""As sspnet_synthetic.py, with learned weights of the scales for each group of attributes.

Ours (740,969 parameters), seed 0: mA on val 0.876, 0.933, **0.952** after epochs 1 to 3, **0.950** on test. Weights of
P1, P2, P3 at the end: head 0.34, 0.19, 0.48; upper 0.10, 0.49, 0.42; lower 0.27, 0.25, 0.48; bag and stance 0.12, 0.08,
0.80. Three seeds, and what to compare them with: README.md.

    python tools/train.py configs/sspnet/sspnet-adaptive_synthetic.py
"""
_base_ = ['./sspnet_synthetic.py']

model = dict(head=dict(selection='adaptive'))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.selection': dict(decay_mult=0.0)}))
custom_hooks = [dict(type='ScaleWeightsHook')]
