"""What every run on poses has in common: default_runtime.py, with the metric of this task, of which less is better."""
_base_ = 'default_runtime.py'

default_hooks = dict(checkpoint=dict(save_best='pose/mpjpe', rule='less'))

visualizer = dict(
    type='PoseVisualizer', vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
