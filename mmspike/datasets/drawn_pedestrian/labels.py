"""Which attributes a person has: rare ones and common ones, that keep company."""
from statistics import NormalDist

import numpy as np

from ..attributes.release import load_list

# attribute: (share of persons, pull of a person's style, pull of the season). The two pulls are what the attributes
# have in common: skirts with long hair and handbags, shorts with short sleeves and without long ones.
CROWD = dict(
    Hat=(0.20, 0.0, -0.45),
    Glasses=(0.22, 0.0, 0.35),
    LongHair=(0.36, 0.7, 0.0),
    ShortSleeve=(0.38, 0.0, 0.75),
    UpperStripes=(0.22, 0.2, 0.2),
    UpperRed=(0.13, 0.35, 0.0),
    Skirt=(0.17, 0.7, 0.2),
    Shorts=(0.18, -0.35, 0.7),
    LowerBlue=(0.33, -0.3, -0.2),
    Backpack=(0.19, -0.45, 0.1),
    HandBag=(0.25, 0.55, -0.1),
    Walking=(0.40, 0.0, -0.2))
NAMES = tuple(entry['name'] for entry in load_list('synthetic_pedestrians')['attributes'])
_SHARES, *_PULLS = np.array([CROWD[name] for name in NAMES]).T
_THRESHOLDS = np.array([NormalDist().inv_cdf(1 - share) for share in _SHARES])
_PULLS = np.array(_PULLS)  # [2, A]
_OWN = np.sqrt(1 - (_PULLS**2).sum(0))  # weight of what is an attribute's own, so that all variances are 1


def draw_labels(rng: np.random.Generator) -> np.ndarray:
    """Draw the attributes of a person: two hidden normal variables pull at all of them; who wears a skirt wears no
    shorts.

    Returns:
        1 or 0 for each of ``NAMES``. **Shape** [A], int64.
    """
    pulled = rng.standard_normal(2) @ _PULLS + _OWN * rng.standard_normal(len(NAMES))
    labels = (pulled > _THRESHOLDS).astype(np.int64)
    if labels[NAMES.index('Skirt')]:
        labels[NAMES.index('Shorts')] = 0
    return labels
