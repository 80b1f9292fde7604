from .clip import ClipDataPreprocessor

__all__ = ['ClipDataPreprocessor']
