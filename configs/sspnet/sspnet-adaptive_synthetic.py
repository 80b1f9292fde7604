"""As sspnet_synthetic.py, with learned weights of the scales for each group of attributes.

    python tools/train.py configs/sspnet/sspnet-adaptive_synthetic.py
"""
_base_ = ['./sspnet_synthetic.py']

model = dict(head=dict(selection='adaptive'))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.selection': dict(decay_mult=0.0)}))
custom_hooks = [dict(type='ScaleWeightsHook')]
