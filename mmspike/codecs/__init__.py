"""Labels and their representations, for data and heads alike."""
from .attribute_sequence import AttributeSequenceCodec

__all__ = ['AttributeSequenceCodec']
