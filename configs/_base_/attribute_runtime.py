"""What every run on attributes has in common: default_runtime.py, with the metric and the pictures of this task."""
_base_ = 'default_runtime.py'

default_hooks = dict(checkpoint=dict(save_best='par/mA'))
visualizer = dict(type='AttributeVisualizer')
