"""ReSpike, ResNet-50, Kinetics-400, stride 4: four key frames and three time steps of the spiking network each.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/respike/respike_r50-s4_kinetics400.py
"""
_base_ = './respike_r50_kinetics400.py'

model = dict(backbone=dict(stride=4))
