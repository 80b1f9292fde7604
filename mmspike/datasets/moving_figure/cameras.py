"""Cameras around the figure, as the matrices of DHP19 are: v grows upwards from the lower edge of the sensor."""
import numpy as np

DISTANCE, TALLNESS = 3200, 1000  # of the cameras from the middle and above the floor, mm
LOOKS_AT = (0, 0, 900)
FOCAL = 95 / 64  # in widths of the sensor
AZIMUTHS = {3: -35, 2: 40, 1: -100, 0: 105}  # camera -> degrees from where the figure faces, to its right


def look_at(azimuth: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A camera on a circle around the figure that looks at its middle.

    Args:
        azimuth: Degrees; 0 is in front of the figure.
        size: Height and width of the sensor in pixels.

    Returns:
        tuple: Projection of mm to u, v, **Shape** [3, 4], and where the camera stands in mm, **Shape** [3].
    """
    angle = np.deg2rad(azimuth)
    centre = np.array([DISTANCE * np.sin(angle), DISTANCE * np.cos(angle), TALLNESS])
    forwards = LOOKS_AT - centre
    forwards /= np.linalg.norm(forwards)
    right = np.cross(forwards, [0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(right, forwards), forwards])
    inner = np.array([[FOCAL * size, 0, size / 2], [0, FOCAL * size, size / 2], [0, 0, 1]])
    return inner @ np.hstack([rotation, -rotation @ centre[:, None]]), centre


def pixels_per_mm(size: int) -> float:
    """How large a millimetre at the middle of the figure is in a picture of ``size`` pixels."""
    return FOCAL * size / DISTANCE


def release_cameras(size: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """The four cameras: number -> :func:`look_at`."""
    return {camera: look_at(azimuth, size) for camera, azimuth in AZIMUTHS.items()}
