"""Adam, a tenth of the learning rate after 4 epochs without a better mA, 30 epochs: the strong baseline."""
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4, weight_decay=5e-4), clip_grad=dict(max_norm=10))
param_scheduler = dict(type='ReduceOnPlateauLR', monitor='par/mA', rule='greater', factor=0.1, patience=4)

train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()
