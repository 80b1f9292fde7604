"""Metrics as functions: arrays in, numbers out.

Own functions because mmaction's do something else: its mean class accuracy counts a class that occurs only among the
predictions as a class with accuracy 0, and its confusion matrix drops the classes that occur nowhere.
"""
from collections.abc import Sequence

import numpy as np


def top_k_hits(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether the label is among the k highest scores; of equal scores the lower class comes first, as in argmax.

    Args:
        scores (np.ndarray): **Shape** [N, K].
        labels (np.ndarray): Whole numbers. **Shape** [N].
        k (int): From 1; more than K is K.

    Returns:
        np.ndarray: bool. **Shape** [N].
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    own = np.take_along_axis(scores, labels[:, None], 1)  # [N, 1]
    earlier = np.arange(scores.shape[1]) < labels[:, None]  # [N, K]
    rank = ((scores > own) | ((scores == own) & earlier)).sum(1)
    return rank < k


def confusion_matrix(predictions: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts of (label, prediction).

    Args:
        predictions (np.ndarray): Predicted classes. **Shape** [N].
        labels (np.ndarray): True classes. **Shape** [N].
        num_classes (int): K.

    Returns:
        np.ndarray: int64, rows are true classes, columns predictions. **Shape** [K, K].
    """
    flat = np.asarray(labels, np.int64) * num_classes + np.asarray(predictions, np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def mean_class_accuracy(hits: np.ndarray, labels: Sequence[int]) -> float:
    """Accuracy within each class, averaged over the classes that have samples.

    Args:
        hits (np.ndarray): Whether each sample was right. **Shape** [N].
        labels (sequence): True classes. **Shape** [N].

    Returns:
        float: In [0, 1].
    """
    _, index = np.unique(np.asarray(labels), return_inverse=True)
    return float((np.bincount(index, weights=np.asarray(hits, float)) / np.bincount(index)).mean())
