"""Drawn pedestrians: which attributes a person has, the figure, and the picture."""
from .boxes import attribute_boxes
from .labels import NAMES, draw_labels
from .picture import draw_pedestrian

__all__ = ['NAMES', 'attribute_boxes', 'draw_labels', 'draw_pedestrian']
