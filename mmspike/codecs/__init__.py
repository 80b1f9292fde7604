"""Label <-> what a network learns to give, shared by data and heads."""
from .heatmap import HeatmapCodec

__all__ = ['HeatmapCodec']
