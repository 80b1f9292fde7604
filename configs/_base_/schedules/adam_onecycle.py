"""Adam, one learning rate cycle; a leaf sets epochs and rates."""
optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))
param_scheduler = dict(
    type='OneCycleLR', eta_max=2e-3, pct_start=0.1, total_steps=1, by_epoch=True, convert_to_iter_based=True)

train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = dict()
test_cfg = dict()
