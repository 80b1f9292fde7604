"""Spikingformer 8-384, ImageNet-1k, 224x224, T = 4, 310 epochs, batch 36 per GPU.

Published: top-1 72.45. Ours: not run (no data set, no GPU).
    python tools/train.py configs/spikingformer/spikingformer_8-384_imagenet.py --amp
The published settings do not say how many GPUs there were; --auto-scale-lr takes 8.
"""
_base_ = [
    '../_base_/models/spikingformer_8-384_imagenet.py', '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/adamw_warmup-cosine_310e.py', '../_base_/default_runtime.py'
]

default_hooks = dict(checkpoint=dict(save_best='accuracy/top1'))
visualizer = dict(type='mmpretrain.UniversalVisualizer')
auto_scale_lr = dict(base_batch_size=36 * 8)
