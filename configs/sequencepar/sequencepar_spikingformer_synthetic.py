"""The decoder of sequencepar_synthetic.py on a Spikingformer (width 64, one block, T=4): an encoder by config alone.

The decoder is not spiking. No paper's figure. Ours, seed 0: mA on the 1,500 images of val 0.702, 0.787, 0.860, 0.911,
0.929, **0.933** after epochs 1 to 6; with the best of them on the 1,500 of test mA **0.932**, precision 0.913, stop
rate 1.000. About 20 minutes on one thread, beside another job.
    python tools/train.py configs/sequencepar/sequencepar_spikingformer_synthetic.py
"""
_base_ = ['./sequencepar_synthetic.py']

model = dict(
    backbone=dict(
        _delete_=True, type='Spikingformer', num_steps=4,
        arch=dict(embed_dims=64, depth=1, num_heads=4, mlp_ratio=4), out_indices=(4, )),
    head=dict(in_channels=64))

train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=5e-3))
param_scheduler = dict(eta_max=5e-3)
