"""AdamW without decay of norms and biases, gradient clip, one learning rate cycle; a leaf sets epochs and rates."""
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.02),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=5))
param_scheduler = dict(
    type='OneCycleLR', eta_max=2e-3, pct_start=0.05, total_steps=8, by_epoch=True, convert_to_iter_based=True)

train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=1)
val_cfg = dict()
test_cfg = dict()
