"""What labels and predictions are called."""
from .attribute_names import attribute_names

__all__ = ['attribute_names']
