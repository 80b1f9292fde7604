"""Pictures of what a model saw and answered."""
from mmspike.visualization.action_visualizer import ActionVisualizer
from mmspike.visualization.clip_panel import clip_panel, residual_frames, to_array

__all__ = ['ActionVisualizer', 'clip_panel', 'residual_frames', 'to_array']
