"""ReSpike with ResNet-18 on the key frames, from scratch; a leaf adds ImageNet weights and the number of classes."""
_base_ = './respike_r50.py'

model = dict(backbone=dict(ann=dict(depth=18)), head=dict(in_channels=512 + 512))
