"""Drawn pedestrians: which attributes a person has, the figure, and the picture."""
from .labels import NAMES, draw_labels
from .picture import draw_pedestrian

__all__ = ['NAMES', 'draw_labels', 'draw_pedestrian']
