"""Ablation: both branches, joined at the end only, without cross-attention; Kinetics-400.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50-no-attention_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(backbone=dict(fusion=None))
