"""Ablation: key frames through ResNet-50 alone, logits averaged over the key frames; Kinetics-400.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50-ann-only_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(backbone=dict(snn=None, fusion=None), head=dict(in_channels=2048))
