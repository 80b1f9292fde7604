"""SGD, 5 epochs of warm-up into a cosine over 20, one rate and decay for all weights, as the published VTB."""
optim_wrapper = dict(optimizer=dict(type='SGD', lr=8e-3, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='WarmupCosineLR', T_max=20, warmup=5, warmup_ratio=0.01, eta_min_ratio=0.002)

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
