"""Label <-> what a network learns to give, shared by data and heads."""
from .attribute_sequence import AttributeSequenceCodec
from .heatmap import HeatmapCodec

__all__ = ['AttributeSequenceCodec', 'HeatmapCodec']
