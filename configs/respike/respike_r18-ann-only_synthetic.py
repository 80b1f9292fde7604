"""Ablation: key frames alone, on the embedded set of rendered actions, where no single frame reveals the class.

No paper's figure; chance is 0.125. Ours, 240 held-out clips, seed 0: top-1 0.125, 0.121, 0.163, 0.142, **0.146** after
epochs 1 to 5 (CPU, one thread).
    python tools/train.py configs/respike/respike_r18-ann-only_synthetic.py
"""
_base_ = './respike_r18_synthetic.py'

model = dict(backbone=dict(snn=None, fusion=None), head=dict(in_channels=128))
