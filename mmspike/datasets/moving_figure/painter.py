"""What a camera's lens shows: a figure of bright limbs and a darker trunk before a textured wall."""
from dataclasses import dataclass

import cv2
import numpy as np

from mmspike.structures import load_skeleton

SUPERSAMPLING = 2
SHIFT = 6  # bits of a fraction in the coordinates of OpenCV
# Limbs differ from the trunk, or an arm before it would cause no event
LIMBS = dict(upper_arm=('shoulder', 'elbow'), forearm=('elbow', 'hand'), thigh=('hip', 'knee'), shank=('knee', 'foot'))
WIDTHS = dict(upper_arm=95, forearm=80, thigh=130, shank=105)  # mm
BRIGHTNESS = dict(head=(185, 235), trunk=(125, 150), upper_arm=(205, 245), forearm=(190, 245), thigh=(185, 225),
                  shank=(195, 245))
HEAD = 110  # radius, mm
BACKGROUND, TEXTURE = 85, 18
JOINTS = {name: k for k, name in enumerate(load_skeleton('dhp19').joints)}
TRUNK = [JOINTS[name] for name in ('shoulderR', 'shoulderL', 'hipL', 'hipR')]


@dataclass(frozen=True)
class Paint:
    """How a figure and its wall look: brightness of each part, and the wall at the painter's resolution."""

    parts: dict[str, int]
    wall: np.ndarray


def draw_paint(size: int, rng: np.random.Generator) -> Paint:
    """Draw brightness and wall for pictures of ``size`` x ``size`` pixels."""
    parts = {part: int(rng.uniform(*limits)) for part, limits in BRIGHTNESS.items()}
    coarse = rng.normal(0, TEXTURE, (size // 4, size // 4)).astype(np.float32)
    wall = cv2.resize(coarse, (size * SUPERSAMPLING,) * 2, interpolation=cv2.INTER_CUBIC)
    return Paint(parts, np.clip(BACKGROUND + wall, 20, 160).astype(np.uint8))


def paint_frames(pixels: np.ndarray, depths: np.ndarray, paint: Paint, scale: float) -> np.ndarray:
    """Paint N moments.

    Args:
        pixels: Column and row of the joints, whole numbers are the middles of pixels. **Shape** [N, 13, 2].
        depths: Distance of the joints from the camera. **Shape** [N, 13].
        paint: From :func:`draw_paint`.
        scale: Pixels per mm at the middle of the figure.

    Returns:
        np.ndarray: uint8. **Shape** [N, H, W].
    """
    size = len(paint.wall) // SUPERSAMPLING
    fine = (pixels + 0.5) * SUPERSAMPLING - 0.5
    corners = np.round(fine * (1 << SHIFT)).astype(np.int32)
    strokes, parts = _strokes(paint, scale * SUPERSAMPLING)
    distance = np.stack([depths[:, joints].mean(1) for joints in parts], 1)  # [N, parts]
    order = np.argsort(-distance, axis=1).tolist()  # the farthest first
    frames = np.empty((len(pixels), size, size), np.uint8)
    canvas = np.empty_like(paint.wall)
    for frame, (joints, ranks) in enumerate(zip(corners, order, strict=True)):
        np.copyto(canvas, paint.wall)
        for rank in ranks:
            strokes[rank](canvas, joints[parts[rank]])
        cv2.resize(canvas, (size, size), dst=frames[frame], interpolation=cv2.INTER_AREA)
    return frames


def _strokes(paint: Paint, scale: float) -> tuple[list, list[list[int]]]:
    """A function that paints each part, and the joints that it needs."""
    def line(width: int, value: int):
        thickness = max(1, round(width * scale))
        return lambda canvas, ends: cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), value, thickness, cv2.LINE_AA,
                                             SHIFT)

    strokes = [lambda canvas, points: cv2.fillConvexPoly(canvas, points, paint.parts['trunk'], cv2.LINE_AA, SHIFT),
               lambda canvas, points: cv2.circle(canvas, points[0].tolist(), round(HEAD * scale * (1 << SHIFT)),
                                                 paint.parts['head'], cv2.FILLED, cv2.LINE_AA, SHIFT)]
    joints = [TRUNK, [JOINTS['head']]]
    for limb, ends in LIMBS.items():
        for side in 'RL':
            strokes.append(line(WIDTHS[limb], paint.parts[limb]))
            joints.append([JOINTS[end + side] for end in ends])
    return strokes, joints
