"""Ablation: key frames alone, on the embedded set of rendered actions, where no single frame reveals the class.

Ours: see README.md in this folder. Chance is 0.125.
    python tools/train.py configs/respike/respike_r18-ann-only_synthetic.py
"""
_base_ = './respike_r18_synthetic.py'

model = dict(backbone=dict(snn=None, fusion=None), head=dict(in_channels=128))
