"""The figure: attributes at fixed parts of a body, and a look that does not depend on them.

One unit is the height of the body. The same look with one attribute changed is the same person, and differs where
the attribute shows and nowhere else.
"""
from typing import NamedTuple

import numpy as np

from .painter import Painter, any_colour, hsv

RED, BLUE = 0.0, 0.62  # hues


class Look(NamedTuple):
    """What a person looks like apart from the attributes. Garments: (without, with) the named colour."""
    skin: np.ndarray
    hair: np.ndarray
    upper: tuple[np.ndarray, np.ndarray]
    lower: tuple[np.ndarray, np.ndarray]
    hat: np.ndarray
    backpack: np.ndarray
    handbag: np.ndarray
    shoes: np.ndarray
    lenses: np.ndarray
    width: float
    contrast: float  # of stripes
    period: float  # of stripes, in body heights
    bag_side: int
    bag_size: float
    hair_end: float  # body coordinate
    hat_height: float
    stride: float  # 0 .. 1

    @classmethod
    def draw(cls, rng: np.random.Generator) -> 'Look':
        """Draw a look at random."""
        return cls(
            skin=hsv(rng.uniform(0.05, 0.09), rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.95)),
            hair=hsv(rng.uniform(0.04, 0.12), rng.uniform(0.2, 0.7), rng.uniform(0.08, 0.6)),
            upper=_garment(RED, rng), lower=_garment(BLUE, rng), hat=any_colour(rng), backpack=any_colour(rng),
            handbag=any_colour(rng), shoes=any_colour(rng) * 0.5, lenses=np.full(3, rng.uniform(10, 70)),
            width=rng.uniform(0.9, 1.12), contrast=rng.uniform(0.45, 0.85), period=rng.uniform(0.055, 0.075),
            bag_side=rng.choice([-1, 1]), bag_size=rng.random(), hair_end=rng.uniform(0.23, 0.3),
            hat_height=rng.uniform(0.075, 0.095), stride=rng.random())


def _garment(hue: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours for one garment: of other hues or none, and of the named hue."""
    strong, value, grey = rng.random(), rng.random(), rng.random() < 0.4
    other = hsv(hue + rng.uniform(0.13, 0.87), 0.12 * strong if grey else 0.25 + 0.65 * strong, 0.15 + 0.75 * value)
    return other, hsv(hue + rng.uniform(-0.03, 0.03), 0.6 + 0.35 * strong, 0.4 + 0.5 * value)


def draw_person(painter: Painter, wanted: dict[str, int], look: Look) -> None:
    """Draw the figure, from what lies behind to what lies in front.

    Args:
        painter: Knows where the body stands.
        wanted: 1 or 0 for each attribute. A person wears one thing on the legs: a skirt hides shorts.
        look: The rest.
    """
    if wanted['Backpack']:
        painter.box((0, 0.325), (0.155 * look.width, 0.145), look.backpack * 0.8)
    if wanted['LongHair']:
        painter.polygon([(-0.055, 0.06), (0.055, 0.06), (0.085, look.hair_end), (-0.085, look.hair_end)], look.hair)
    _draw_legs(painter, wanted, look)
    _draw_torso(painter, wanted, look)
    hands = _draw_arms(painter, wanted, look)
    if wanted['Backpack']:
        for side in (-1, 1):
            painter.limb((0.062 * side * look.width, 0.172), (0.078 * side * look.width, 0.40), (0.032, 0.026),
                         look.backpack)
    if wanted['HandBag']:
        _draw_handbag(painter, hands[look.bag_side], look)
    _draw_head(painter, wanted, look)


def _draw_legs(painter: Painter, wanted: dict[str, int], look: Look) -> None:
    lower, width = look.lower[wanted['LowerBlue']], look.width
    step = 0.095 + 0.03 * look.stride if wanted['Walking'] else 0.04 + 0.012 * look.stride  # of each foot, sideways
    bare = wanted['Skirt'] or wanted['Shorts']
    for side, shade in ((-1, 1.0), (1, 0.88)):
        hip, foot = np.array([0.045 * side * width, 0.50]), np.array([step * side, 0.965])
        widths, colour = ((0.08 * width, 0.04), look.skin) if bare else ((0.088 * width, 0.058), lower)
        painter.limb(hip, foot, widths, colour * shade)
        painter.ellipse(foot + (0.012 * side, 0.015), (0.036, 0.02), look.shoes)
        if wanted['Shorts'] and not wanted['Skirt']:
            painter.limb(hip, hip + 0.4 * (foot - hip) + (0.012 * side, 0), (0.092 * width, 0.086), lower * shade)
    if wanted['Skirt']:
        hem = 0.125 * width + 0.3 * step
        painter.polygon([(-0.07 * width, 0.48), (0.07 * width, 0.48), (hem, 0.735), (-hem, 0.735)], lower)
        return
    painter.polygon([(-0.085 * width, 0.48), (0.085 * width, 0.48), (0.088 * width, 0.54), (-0.088 * width, 0.54)],
                    lower)
    painter.limb((0, 0.54), (0, 0.58 if wanted['Walking'] else 0.68), (0.008, 0.012), lower * 0.5)  # between the legs


def _draw_torso(painter: Painter, wanted: dict[str, int], look: Look) -> None:
    upper = look.upper[wanted['UpperRed']]
    heights = np.array([0.165, 0.195, 0.40, 0.50])

    def edges(y: np.ndarray) -> np.ndarray:
        """The outline at heights y, down the right side and up the left."""
        half = np.interp(y, heights, (0.05, 0.115, 0.088, 0.092)) * look.width
        return np.vstack([np.stack([half, y], 1), np.stack([-half, y], 1)[::-1]])

    painter.polygon(edges(heights), upper)
    if wanted['UpperStripes']:
        # lighter on a dark top, darker on a light one
        stripe = upper + look.contrast * (245 - upper) if upper.mean() < 120 else upper * (1 - look.contrast)
        for y in np.arange(0.20, 0.50 - 0.45 * look.period, look.period):
            painter.polygon(edges(np.array([y, y + 0.45 * look.period])), stripe)


def _draw_arms(painter: Painter, wanted: dict[str, int], look: Look) -> dict[int, np.ndarray]:
    """Returns where the hands are: side -> point."""
    swing, hands = (0.05 + 0.03 * look.stride) * wanted['Walking'], {}
    upper = look.upper[wanted['UpperRed']] * 0.93
    sleeve = look.skin if wanted['ShortSleeve'] else upper
    for side in (-1, 1):
        shoulder = np.array([0.10 * side * look.width, 0.195])
        elbow = np.array([side * (0.128 * look.width + 0.5 * swing), 0.345])
        hands[side] = hand = np.array([side * (0.132 * look.width + swing), 0.49])
        painter.limb(elbow, hand, (0.046, 0.036), sleeve)
        painter.ellipse(hand, (0.021, 0.026), look.skin)
        painter.limb(shoulder, elbow, (0.058, 0.046), sleeve)
        painter.ellipse(elbow, (0.023, 0.023), sleeve)
        painter.limb(shoulder, shoulder + 0.55 * (elbow - shoulder), (0.062, 0.06), upper)
        painter.ellipse(shoulder, (0.03, 0.03), upper)
    return hands


def _draw_handbag(painter: Painter, hand: np.ndarray, look: Look) -> None:
    half = 0.05 + 0.02 * look.bag_size
    handle = np.array([(-0.7 * half, 0.08), (0, 0), (0.7 * half, 0.08), (0, 0.025)])
    painter.polygon(hand + handle, look.handbag * 0.6)
    painter.box(hand + (0, 0.135), (half, 0.062), look.handbag)
    painter.box(hand + (0, 0.10), (half, 0.012), look.handbag * 0.7)


def _draw_head(painter: Painter, wanted: dict[str, int], look: Look) -> None:
    painter.box((0, 0.15), (0.026, 0.03), look.skin * 0.85)  # the neck
    painter.ellipse((0, 0.063), (0.058, 0.066), look.hair)
    painter.ellipse((0, 0.08), (0.046, 0.058), look.skin)
    painter.ellipse((0, 0.05), (0.05, 0.034), look.hair, upper_half=True)  # a fringe
    painter.ellipse((0, 0.113), (0.014, 0.005), look.skin * 0.6)  # the mouth
    for side in (-1, 1):
        painter.ellipse((0.02 * side, 0.076), (0.007, 0.006), look.lenses)  # an eye
        if wanted['LongHair']:
            painter.polygon([(0.038 * side, 0.05), (0.062 * side, 0.06), (0.088 * side, look.hair_end),
                             (0.048 * side, look.hair_end)], look.hair)
        if wanted['Glasses']:
            painter.ellipse((0.024 * side, 0.077), (0.021, 0.016), look.lenses)
    if wanted['Glasses']:
        painter.box((0, 0.073), (0.055, 0.006), look.lenses)
    if wanted['Hat']:
        painter.ellipse((0, 0.045), (0.062, look.hat_height), look.hat, upper_half=True)
        painter.box((0, 0.045), (0.085, 0.012), look.hat * 0.8)
