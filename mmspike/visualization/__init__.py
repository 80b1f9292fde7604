"""Pictures of what a model saw and answered."""
from mmspike.visualization.action_visualizer import ActionVisualizer
from mmspike.visualization.attribute_panel import Picture, attribute_panel, input_pictures
from mmspike.visualization.attribute_visualizer import AttributeVisualizer
from mmspike.visualization.clip_panel import clip_panel, residual_frames
from mmspike.visualization.contact_sheet import contact_sheet
from mmspike.visualization.energy_chart import energy_chart
from mmspike.visualization.energy_page import energy_page
from mmspike.visualization.error_chart import error_chart
from mmspike.visualization.event_picture import draw_skeletons, event_picture, frame_picture, label_picture
from mmspike.visualization.figure_visualizer import FigureVisualizer
from mmspike.visualization.localization_panel import Located, localization_panel
from mmspike.visualization.page import to_array, to_rgb
from mmspike.visualization.pose_visualizer import PoseVisualizer, pose_sheet
from mmspike.visualization.scale_chart import scale_chart
from mmspike.visualization.sequence_panel import Step, sequence_panel
from mmspike.visualization.sequence_visualizer import SequenceVisualizer

__all__ = ['ActionVisualizer', 'AttributeVisualizer', 'FigureVisualizer', 'Located', 'Picture', 'PoseVisualizer',
           'SequenceVisualizer', 'Step', 'attribute_panel', 'clip_panel', 'contact_sheet', 'draw_skeletons',
           'energy_chart', 'energy_page', 'error_chart', 'event_picture', 'frame_picture', 'input_pictures',
           'label_picture', 'localization_panel', 'pose_sheet', 'residual_frames', 'scale_chart', 'sequence_panel',
           'to_array', 'to_rgb']
