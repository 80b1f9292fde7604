"""Pictures of what a model saw and answered."""
from mmspike.visualization.action_visualizer import ActionVisualizer
from mmspike.visualization.attribute_panel import Picture, attribute_panel, input_pictures
from mmspike.visualization.attribute_visualizer import AttributeVisualizer
from mmspike.visualization.clip_panel import clip_panel, residual_frames
from mmspike.visualization.contact_sheet import contact_sheet
from mmspike.visualization.energy_page import energy_page
from mmspike.visualization.figure_visualizer import FigureVisualizer
from mmspike.visualization.localization_panel import Located, localization_panel
from mmspike.visualization.page import to_array, to_rgb
from mmspike.visualization.scale_chart import scale_chart

__all__ = ['ActionVisualizer', 'AttributeVisualizer', 'FigureVisualizer', 'Located', 'Picture', 'attribute_panel',
           'clip_panel', 'contact_sheet', 'energy_page', 'input_pictures', 'localization_panel', 'residual_frames',
           'scale_chart', 'to_array', 'to_rgb']
