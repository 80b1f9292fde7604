"""Pedestrian attributes: the annotation format, its verification, and readers of the released data sets."""
from .annotation import Annotation, AnnotationError, Attribute, load_annotation, save_annotation

__all__ = ['Annotation', 'AnnotationError', 'Attribute', 'load_annotation', 'save_annotation']
