"""Shapes in the coordinates of a body, and colours."""
import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

Point = Sequence[float]
SHIFT = 4  # fractional bits of cv2's coordinates


class Painter:
    """Draws anti-aliased shapes; x counts from the body's middle line, y from its crown, in body heights.

    Args:
        canvas: uint8 ``[H, W, 3]``, BGR, drawn upon.
        x: Middle line, in pixels.
        y: Crown of the head, in pixels.
        height: Of the body, in pixels.
    """

    def __init__(self, canvas: np.ndarray, x: float, y: float, height: float):
        self.canvas, self.origin, self.unit = canvas, np.array([x, y]), height

    def polygon(self, points: Sequence[Point], colour: np.ndarray) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.canvas, [self._pixels(points)], colour.tolist(), cv2.LINE_AA, SHIFT)

    def box(self, centre: Point, half_sizes: Point, colour: np.ndarray) -> None:
        """Fill a rectangle."""
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        self.polygon(np.asarray(centre) + corners * half_sizes, colour)

    def ellipse(self, centre: Point, radii: Point, colour: np.ndarray, upper_half: bool = False) -> None:
        """Fill an ellipse, or its upper half."""
        radii = np.round(np.asarray(radii) * (self.unit * 2**SHIFT)).astype(int).tolist()
        sector = (180, 360) if upper_half else (0, 360)
        cv2.ellipse(self.canvas, self._pixels(centre).tolist(), radii, 0, *sector, colour.tolist(), -1, cv2.LINE_AA,
                    SHIFT)

    def limb(self, start: Point, end: Point, widths: Point, colour: np.ndarray) -> None:
        """Fill a limb that is ``widths[0]`` wide at its start and ``widths[1]`` at its end."""
        start, end = np.asarray(start), np.asarray(end)
        along = (end - start) / np.hypot(*(end - start))
        across = along[::-1] * (-0.5, 0.5)
        self.polygon([start + across * widths[0], start - across * widths[0], end - across * widths[1],
                      end + across * widths[1]], colour)

    def _pixels(self, points: Point | Sequence[Point]) -> np.ndarray:
        return np.round((self.origin + np.asarray(points) * self.unit) * 2**SHIFT).astype(np.int32)


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """BGR, 0 to 255, of a colour given as fractions of 1."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value)[::-1]) * 255


def any_colour(rng: np.random.Generator, strongest: float = 0.9) -> np.ndarray:
    """Of things whose colour no attribute names."""
    return hsv(rng.random(), rng.uniform(0, strongest), rng.uniform(0.15, 0.95))
