"""Spikingformer 8-768, ImageNet-1k, 224x224, T = 4, 310 epochs, batch 36 per GPU.

Published: top-1 75.85. Ours: not run (no data set, no GPU).
    python tools/train.py configs/spikingformer/spikingformer_8-768_imagenet.py --amp
"""
_base_ = './spikingformer_8-384_imagenet.py'

model = dict(backbone=dict(arch='8-768'), head=dict(in_channels=768))
