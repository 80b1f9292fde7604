"""The strong baseline with the data, the schedule and the validation of sspnet_r50_pa100k.py, to compare with it.

Its README (batch 64, 30 epochs, chosen on test): mA / accuracy / precision / recall / F1 of means = 81.97 / 80.20 /
88.06 / 88.17 / 88.11. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/baseline_r50_pa100k.py
"""
_base_ = ['./sspnet_r50_pa100k.py']

model = dict(
    backbone=dict(out_indices=(3,)),
    neck=None,
    head=dict(_delete_=True, type='AttributeHead', num_attributes=26, in_channels=2048, init_cfg=None))
