"""Spikingformer 8-512, ImageNet-1k, 224x224, T = 4, 310 epochs, batch 36 per GPU.

Published: top-1 74.79. Ours: not run (no data set, no GPU).
    python tools/train.py configs/spikingformer/spikingformer_8-512_imagenet.py --amp
"""
_base_ = './spikingformer_8-384_imagenet.py'

model = dict(backbone=dict(arch='8-512'), head=dict(in_channels=512))
