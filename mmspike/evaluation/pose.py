"""Poses in numbers: joints predicted and true in, distances and their means out.

A joint that is not visible has no distance: NaN, which takes part in no mean.
"""
from collections.abc import Sequence

import numpy as np

from mmspike.structures import triangulate

AVERAGES = ('pose', 'joint')


def joint_errors(predicted: np.ndarray, true: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """Euclidean distances of joints, in pixels of 2-D or mm of 3-D joints.

    Args:
        predicted: **Shape** [..., K, D].
        true: NaN where not known. **Shape** [..., K, D].
        visible: Which joints count; by default all that are known. **Shape** [..., K].

    Returns:
        np.ndarray: float64, NaN for joints that do not count. **Shape** [..., K].

    Raises:
        ValueError: Arrays of different shapes.
    """
    predicted, true = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if predicted.shape != true.shape:
        raise ValueError(f'joint_errors: joints {list(predicted.shape)} predicted and {list(true.shape)} true; '
                         'expected the same shape')
    errors = np.linalg.norm(predicted - true, axis=-1)
    return errors if visible is None else np.where(np.asarray(visible, bool), errors, np.nan)


def mean_error(errors: np.ndarray, average: str = 'pose') -> float:
    """MPJPE, the mean per-joint position error; NaN where no joint counts.

    Args:
        errors: From :func:`joint_errors`. **Shape** [..., K].
        average: ``'pose'``, as published: mean over the joints of a pose, then over the poses that have any, so that
            every pose counts the same; or ``'joint'``: over all joints, so that every joint does.

    Raises:
        ValueError: Another average.
    """
    if average not in AVERAGES:
        raise ValueError(f"mean_error: average is {average!r}, expected 'pose' or 'joint'")
    if average == 'pose':
        errors = nan_mean(errors, -1)
    return float(nan_mean(errors.reshape(-1), 0))


def nan_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is not NaN along an axis; NaN, without a warning, where nothing is left."""
    known = ~np.isnan(values)
    count = known.sum(axis)
    return np.where(count > 0, np.where(known, values, 0).sum(axis) / np.maximum(count, 1), np.nan)


def correct_joints(errors: np.ndarray, true: np.ndarray, visible: np.ndarray, torso: tuple[int, int],
                   share: float) -> np.ndarray:
    """Whether each joint is within a share of the torso's length (PCK, percentage of correct keypoints).

    Args:
        errors: Pixels. **Shape** [..., K].
        true: **Shape** [..., K, 2].
        visible: **Shape** [..., K].
        torso: The two joints whose distance is its length.
        share: Of it.

    Returns:
        np.ndarray: 1, 0, or NaN for a joint, or a pose whose torso, is not visible. **Shape** [..., K].
    """
    one, other = torso
    length = np.linalg.norm(true[..., one, :] - true[..., other, :], axis=-1)
    length = np.where(visible[..., one] & visible[..., other], length, np.nan)[..., None]
    counts = ~np.isnan(errors) & ~np.isnan(length)
    with np.errstate(invalid='ignore'):
        return np.where(counts, errors <= share * length, np.nan)


def triangulated_errors(pixels: Sequence[np.ndarray], projections: Sequence[np.ndarray],
                        true: np.ndarray) -> np.ndarray:
    """Distances in mm of the joints that several views see together, each bin against its own label.

    Args:
        pixels: Per view **Shape** [T, K, 2].
        projections: Per view **Shape** [3, 4].
        true: mm, NaN where not known. **Shape** [T, K, 3].

    Returns:
        np.ndarray: **Shape** [T, K].
    """
    steps, joints = true.shape[:2]
    flat = np.stack([np.asarray(view, np.float64).reshape(-1, 2) for view in pixels])  # [V, T * K, 2]
    points = triangulate(flat, np.stack(projections)).reshape(steps, joints, 3)
    return joint_errors(points, true)
