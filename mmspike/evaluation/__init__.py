"""Metrics: functions over arrays, and their thin wrappers for mmengine's evaluator."""
from .attributes import attribute_figures, average_precision, best_threshold, instance_figures, label_figures
from .functional import confusion_matrix, mean_class_accuracy, top_k_hits
from .localization import box_iou, localization_rows
from .metrics import ActionMetric, AttributeMetric, PoseMetric, SequenceMetric
from .pose import correct_joints, joint_errors, mean_error, triangulated_errors
from .sequences import sequence_figures

__all__ = ['ActionMetric', 'AttributeMetric', 'PoseMetric', 'SequenceMetric', 'attribute_figures',
           'average_precision', 'best_threshold', 'box_iou', 'confusion_matrix', 'correct_joints', 'instance_figures',
           'joint_errors', 'label_figures', 'localization_rows', 'mean_class_accuracy', 'mean_error',
           'sequence_figures', 'top_k_hits', 'triangulated_errors']
