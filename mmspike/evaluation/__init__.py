"""Metrics: functions over arrays, and their thin wrappers for mmengine's evaluator."""
from .functional import confusion_matrix, mean_class_accuracy, top_k_hits
from .metrics import ActionMetric

__all__ = ['ActionMetric', 'confusion_matrix', 'mean_class_accuracy', 'top_k_hits']
