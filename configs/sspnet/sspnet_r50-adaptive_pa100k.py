"""As sspnet_r50_pa100k.py, with learned weights of the scales for each group of attributes.

The paper's abstract calls the selection adaptive; the published code has a fixed table, and the learned form here is
ours. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50-adaptive_pa100k.py
"""
_base_ = ['./sspnet_r50_pa100k.py']

model = dict(head=dict(selection='adaptive'))
# The hook of the averaged weights again: a list of a leaf replaces that of its base
custom_hooks = [dict(type='EMAHook', momentum=2e-4, update_buffers=True), dict(type='ScaleWeightsHook')]
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.selection': dict(decay_mult=0.0)}))
