"""Pictures of what a model saw and answered."""
from mmspike.visualization.action_visualizer import ActionVisualizer
from mmspike.visualization.clip_panel import clip_panel, residual_frames
from mmspike.visualization.contact_sheet import contact_sheet
from mmspike.visualization.page import to_array

__all__ = ['ActionVisualizer', 'clip_panel', 'contact_sheet', 'residual_frames', 'to_array']
