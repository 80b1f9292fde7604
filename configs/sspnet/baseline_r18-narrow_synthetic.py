"""The strong baseline with the backbone, the data and the budget of sspnet_synthetic.py.

    python tools/train.py configs/sspnet/baseline_r18-narrow_synthetic.py
"""
_base_ = ['../snn_par/baseline_r18-narrow_synthetic.py']

param_scheduler = dict(total_steps=3)
train_cfg = dict(max_epochs=3)
