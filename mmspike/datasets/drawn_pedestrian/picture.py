"""The picture around the figure: background, decoys, what stands in the way, and the camera."""
from collections.abc import Sequence

import cv2
import numpy as np

from .labels import NAMES
from .painter import Painter, any_colour
from .person import Look, draw_person

SUPERSAMPLING = 2  # pixels of the drawing per pixel of the picture


def draw_pedestrian(labels: Sequence[int], rng: np.random.Generator, height: int = 128) -> np.ndarray:
    """Draw a pedestrian at twice the size, and take it in as a camera would.

    Args:
        labels: 1 or 0 for each of ``NAMES``.
        rng: Decides everything else: look, place, background, decoys, light, focus, noise, what stands in the way.
            It is used in the same way whatever the labels.
        height: Of the picture in pixels; it is half as wide.

    Returns:
        uint8 ``[height, height / 2, 3]``, BGR.
    """
    return photograph(draw_scene(labels, rng, height), rng)


def draw_scene(labels: Sequence[int] | None, rng: np.random.Generator, height: int = 128) -> np.ndarray:
    """What is in front of the camera, at twice the size of the picture.

    Args:
        labels: 1 or 0 for each of ``NAMES``; ``None`` leaves the person out, and nothing else.
        rng: As for :func:`draw_pedestrian`.
        height: Of the picture in pixels.

    Returns:
        uint8 ``[2 * height, height, 3]``, BGR.
    """
    canvas = draw_background(SUPERSAMPLING * height, SUPERSAMPLING * height // 2, rng)
    body = rng.uniform(0.80, 0.91)  # of the picture's height
    painter = Painter(canvas, height * rng.uniform(0.44, 0.56), 2 * height * rng.uniform(0.05, 0.97 - body),
                      2 * height * body)
    draw_decoys(painter, rng)
    look = Look.draw(rng)
    if labels is not None:
        draw_person(painter, dict(zip(NAMES, labels, strict=True)), look)
    draw_occluder(canvas, rng)
    return canvas


def draw_background(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Wall, ground, boxes and a pole, all textured: uint8 ``[height, width, 3]``."""
    canvas = np.empty((height, width, 3), np.float32)
    horizon = int(height * rng.uniform(0.5, 0.85))
    canvas[:horizon], canvas[horizon:] = _pale(rng), _pale(rng)
    for _ in range(rng.integers(4)):
        top, left = int(height * rng.uniform(0, 0.7)), int(width * rng.uniform(0, 0.9))
        bottom, right = top + int(height * rng.uniform(0.1, 0.5)), left + int(width * rng.uniform(0.1, 0.4))
        canvas[top:bottom, left:right] = _pale(rng)
    if rng.random() < 0.3:  # a pole
        left = int(width * rng.random())
        canvas[:int(height * rng.uniform(0.7, 1)), left:left + int(width * rng.uniform(0.02, 0.08))] = any_colour(rng)
    for cells, depth in ((4, 25), (16, 14), (64, 10)):
        texture = rng.uniform(-depth, depth, (2 * cells, cells)).astype(np.float32)
        canvas += cv2.resize(texture, (width, height))[..., None]
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _pale(rng: np.random.Generator) -> np.ndarray:
    return 50 + 0.7 * any_colour(rng, strongest=0.6)


def draw_decoys(painter: Painter, rng: np.random.Generator) -> None:
    """Draw what resembles attributes and is none: dots like glasses, bags that nobody holds, bars like stripes."""
    if rng.random() < 0.3:
        x, y, dark = _beside(rng, 0.13), rng.uniform(0, 0.4), np.full(3, rng.uniform(10, 70))
        for side in (-1, 1):
            painter.ellipse((x + 0.024 * side, y), (0.021, 0.016), dark)
    if rng.random() < 0.3:
        painter.box((_beside(rng, 0.15), rng.uniform(0.86, 0.95)), (rng.uniform(0.04, 0.07), 0.06), any_colour(rng))
    if rng.random() < 0.2:
        x, colour = _beside(rng, 0.2), any_colour(rng)
        for y in np.arange(rng.uniform(0.1, 0.3), 0.6, 0.065):
            painter.box((x, y), (0.08, 0.014), colour)


def _beside(rng: np.random.Generator, nearest: float) -> float:
    return rng.choice([-1, 1]) * rng.uniform(nearest, nearest + 0.1)


def draw_occluder(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """Cover the feet or one edge, in 6 % of the pictures."""
    if rng.random() >= 0.06:
        return
    height, width = canvas.shape[:2]
    if rng.random() < 0.5:
        canvas[int(height * rng.uniform(0.7, 0.85)):] = any_colour(rng)
    else:
        canvas[:, :int(width * rng.uniform(0.2, 0.35))] = any_colour(rng)


def photograph(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average areas of 2x2 pixels; lens, exposure and sensor: blur up to 0.8 pixels, gain 0.75-1.2, noise of 3-10."""
    height, width = canvas.shape[:2]
    picture = cv2.resize(canvas, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    blur = rng.uniform(0, 0.8)
    if blur > 0.3:  # less does not show
        picture = cv2.GaussianBlur(picture, (5, 5), blur)
    picture *= rng.uniform(0.75, 1.2)
    picture += rng.uniform(3, 10) * rng.standard_normal(picture.shape, np.float32)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
