"""Events and poses as pictures: numbers in, uint8 RGB out."""
from collections.abc import Sequence

import cv2
import numpy as np

PAPER, DARKER, BRIGHTER = (250, 250, 248), (196, 72, 60), (48, 102, 190)  # RGB: no event, polarity 0, polarity 1
TRUTH, PREDICTED, HELD = (46, 158, 79), (214, 39, 135), (150, 150, 150)
FULL = 3.0  # events in a pixel for the full colour
MIN_WIDTH = 256  # smaller pictures are enlarged, so that limbs are told from pixels


def event_picture(counts: np.ndarray, full: float = FULL) -> np.ndarray:
    """Events as colours on paper: red where it became darker, blue where it became brighter.

    Args:
        counts: events per polarity and pixel. **Shape** [2, H, W].
        full: so many events in a pixel have the full colour.

    Returns:
        np.ndarray: **Shape** [H, W, 3].
    """
    strength = np.clip(np.asarray(counts, np.float32) / full, 0, 1)
    darker, brighter = np.sqrt(strength)[..., None]  # a single event is seen well
    paper, one, two = (np.array(colour, np.float32) for colour in (PAPER, DARKER, BRIGHTER))
    total = np.maximum(darker + brighter, 1)
    return (paper + (darker * (one - paper) + brighter * (two - paper)) / total).round().astype(np.uint8)


def frame_picture(frame: np.ndarray) -> np.ndarray:
    """What a CNN looks at: a stack of bins (all of polarity 0, then all of 1), a grey or a colour image.

    Args:
        frame: **Shape** [C, H, W].

    Returns:
        np.ndarray: **Shape** [H, W, 3].
    """
    frame = np.asarray(frame, np.float32)
    if len(frame) in (1, 3):
        scaled = frame * (255 if frame.max() <= 1 else 1)
        return np.broadcast_to(scaled, (3, *frame.shape[1:])).transpose(1, 2, 0).clip(0, 255).astype(np.uint8)
    return event_picture(frame.reshape(2, -1, *frame.shape[1:]).sum(1))


def draw_skeletons(picture: np.ndarray, poses: Sequence[tuple[np.ndarray, np.ndarray | None, tuple[int, int, int]]],
                   edges: Sequence[tuple[int, int]], min_width: int = MIN_WIDTH) -> np.ndarray:
    """Skeletons on a picture, which is enlarged by a whole number where it is small.

    Args:
        picture: RGB. **Shape** [H, W, 3].
        poses: joints (x, y) **Shape** [K, 2], which of them are known (None: all) **Shape** [K], colour; later ones lie
            on top.
        edges: numbers of joints that a limb connects.
        min_width: a narrower picture is enlarged to at least that.

    Returns:
        np.ndarray: a new picture. **Shape** [s * H, s * W, 3].
    """
    scale = max(1, -(-min_width // picture.shape[1]))
    picture = np.ascontiguousarray(picture.repeat(scale, 0).repeat(scale, 1))
    thick = max(1, round(picture.shape[1] / 180))
    for joints, known, colour in poses:
        joints = (np.asarray(joints, np.float64) + 0.5) * scale - 0.5  # the middle of a pixel stays in its middle
        known = np.isfinite(joints).all(-1) & (True if known is None else np.asarray(known, bool))
        points = [tuple(map(int, np.round(point))) if there else None
                  for point, there in zip(np.nan_to_num(joints), known, strict=True)]
        for one, other in edges:
            if points[one] and points[other]:
                cv2.line(picture, points[one], points[other], colour, thick, cv2.LINE_AA)
        for point in filter(None, points):
            cv2.circle(picture, point, thick + 1, colour, -1, cv2.LINE_AA)
    return picture


def label_picture(picture: np.ndarray, words: Sequence[tuple[str, tuple[int, int, int]]]) -> np.ndarray:
    """A line of words, each in its colour, on a strip above a picture: **Shape** [H, W, 3] -> [H + 24, W, 3]."""
    strip = np.full((24, picture.shape[1], 3), 255, np.uint8)
    left = 6
    for word, colour in words:
        cv2.putText(strip, word, (left, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
        left += cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0] + 10
    return np.concatenate([strip, picture])
