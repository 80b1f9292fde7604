"""Ablation: residual frames through the spiking ResNet alone; Kinetics-400, stride 4 (three time steps).

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_snn-only_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(backbone=dict(stride=4, ann=None, fusion=None), head=dict(in_channels=512))
