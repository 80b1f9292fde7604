from .clip import ClipDataPreprocessor
from .events import EventDataPreprocessor

__all__ = ['ClipDataPreprocessor', 'EventDataPreprocessor']
