"""AdamW, 5 epochs of warm-up into a cosine over 50, one rate for all weights, as the published SequencePAR."""
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-6, weight_decay=1e-4), clip_grad=dict(max_norm=1.0))
param_scheduler = dict(type='WarmupCosineLR', T_max=50, warmup=5, warmup_ratio=0.01, eta_min_ratio=0.002)

train_cfg = dict(by_epoch=True, max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()
