"""Adam at a constant rate for 10 epochs: nominally 200 are published, of which the checkpoints are the 2nd to 9th."""
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4))

train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=1)
val_cfg = dict()
test_cfg = dict()
