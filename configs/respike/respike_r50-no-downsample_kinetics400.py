"""Ablation: fusion at full resolution, none after the first stage (the published default without ``--downsample``).

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50-no-downsample_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(backbone=dict(fusion_pooling=(None, 1, 1, 1)))
