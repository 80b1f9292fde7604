"""Cameras as 3x4 matrices: world points to pixels, pixels to rays, rays of several views to points.

A projection P takes a world point in mm to ``(u, v, w)`` with the pixel at ``u / w, v / w``. In the matrices of DHP19 v
grows upwards from the lower edge of the sensor; :func:`picture_projection` turns such a matrix into one that gives the
column and the row of a picture, which is what samples carry, so that nothing after the data set has to know.

A point or pixel with a NaN is missing; what is computed from it is NaN.

Source: the calibration of `DHP19 <https://github.com/SensorsINI/DHP19>`_, and the least-squares intersection of lines
of Traa, "Least-squares intersection of lines" (2013).
"""
import numpy as np

PIXEL_CENTRE = 0.5  # for a camera the first pixel reaches from 0 to 1, for a picture its middle is at 0


def project(points: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """World points to pixels.

    Args:
        points: mm. **Shape** [..., 3].
        projection: **Shape** [3, 4], or [..., 3, 4] with the leading axes of ``points`` but the last.

    Returns:
        np.ndarray: float64 ``(u, v)``. **Shape** [..., 2].
    """
    points, projection = np.asarray(points, np.float64), np.asarray(projection, np.float64)
    pixels = points @ _transposed(projection[..., :3]) + projection[..., None, :, 3]  # [..., N, 3]
    return pixels[..., :2] / pixels[..., 2:]


def picture_projection(projection: np.ndarray, height: float, origin: tuple[float, float] = (0, 0)) -> np.ndarray:
    """A projection to the column and row of a picture, where a whole number is the middle of a pixel.

    Args:
        projection: To u from the left and v from the lower edge of a sensor, as DHP19 has them. **Shape** [3, 4].
        height: Of the sensor in pixels.
        origin: Column and row of the sensor where the picture begins.

    Returns:
        np.ndarray: float64. **Shape** [3, 4].
    """
    column, row = origin
    to_picture = np.array([[1, 0, -column - PIXEL_CENTRE],
                           [0, -1, height - row - PIXEL_CENTRE],
                           [0, 0, 1]], np.float64)
    return to_picture @ np.asarray(projection, np.float64)


def camera_centre(projection: np.ndarray) -> np.ndarray:
    """Where a camera stands, in mm. **Shape** [..., 3, 4] to [..., 3]."""
    projection = np.asarray(projection, np.float64)
    return -np.linalg.solve(projection[..., :3], projection[..., 3:])[..., 0]


def ray_directions(pixels: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Unit vectors from the camera's centre through pixels; a sign is not given to them.

    Args:
        pixels: ``(u, v)``. **Shape** [..., N, 2].
        projection: **Shape** [..., 3, 4].

    Returns:
        np.ndarray: float64. **Shape** [..., N, 3].
    """
    pixels, projection = np.asarray(pixels, np.float64), np.asarray(projection, np.float64)
    homogeneous = np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1)  # [..., N, 3]
    directions = homogeneous @ _transposed(np.linalg.inv(projection[..., :3]))
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def triangulate(pixels: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """The points nearest to the rays of several views, in the sense of least squares.

    Data flow: pixels -> rays from the cameras' centres -> sum of projectors ``I - n n^T`` -> point.

    Args:
        pixels: ``(u, v)`` of each point in each view. **Shape** [V, N, 2].
        projections: **Shape** [V, 3, 4].

    Returns:
        np.ndarray: mm; NaN where fewer than two views see a point. **Shape** [N, 3].

    Raises:
        ValueError: Another number of views than of projections.
    """
    pixels, projections = np.asarray(pixels, np.float64), np.asarray(projections, np.float64)
    if pixels.ndim != 3 or pixels.shape[2] != 2 or projections.shape != (len(pixels), 3, 4):
        raise ValueError(f'triangulate: pixels {list(pixels.shape)} and projections {list(projections.shape)}, '
                         'expected [V, N, 2] and [V, 3, 4] with the same number of views V')
    directions = ray_directions(pixels, projections)  # [V, N, 3]
    seen = np.isfinite(directions).all(-1)  # [V, N]
    projectors = np.eye(3) - directions[..., :, None] * directions[..., None, :]  # [V, N, 3, 3]
    projectors = np.where(seen[..., None, None], projectors, 0)
    at_centre = (projectors @ camera_centre(projections)[:, None, :, None]).sum(0)  # [N, 3, 1]
    points = (np.linalg.pinv(projectors.sum(0), hermitian=True) @ at_centre)[..., 0]  # [N, 3]
    points[seen.sum(0) < 2] = np.nan
    return points


def _transposed(matrix: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrix, -1, -2)
