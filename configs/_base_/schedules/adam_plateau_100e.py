"""Adam, a tenth of the rate after 4 epochs without a better mA, clip, mean of the weights, 100 epochs: SSPNet.

Validated with the mean of the weights, which is what a checkpoint holds as its weights.
"""
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4, weight_decay=5e-4), clip_grad=dict(max_norm=10))
param_scheduler = dict(type='ReduceOnPlateauLR', monitor='par/mA', rule='greater', factor=0.1, patience=4)
custom_hooks = [dict(type='EMAHook', momentum=2e-4, update_buffers=True)]

train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=50)
