"""Skeletons: which joints a pose has, which are joined, and which change places in a mirror."""
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mmspike.utils.lookup import did_you_mean, nearest

FOLDER = Path(__file__).parent / 'skeletons'


@dataclass(frozen=True)
class Skeleton:
    """The joints of a pose, in the order of its keypoints.

    Args:
        name: Of the file in ``skeletons/``.
        joints: K names.
        edges: Pairs of numbers of joints that a limb connects.
        flip: For each joint the number of its mirror image, itself if it has none.
        torso: The two joints whose distance is the length of the torso.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    flip: tuple[int, ...]
    torso: tuple[int, int]


@cache
def load_skeleton(name: str) -> Skeleton:
    """The skeleton of that name.

    Args:
        name: Of a file in ``mmspike/structures/skeletons``, such as ``'dhp19'``.

    Raises:
        ValueError: There is none of that name.
    """
    path = FOLDER / f'{name}.json'
    if not path.is_file():
        known = sorted(file.stem for file in FOLDER.glob('*.json'))
        raise ValueError(f'There is no skeleton {name!r}; known: {", ".join(known)}.'
                         f'{did_you_mean(nearest(name, known))}')
    content = json.loads(path.read_text(encoding='utf-8'))
    number = {joint: k for k, joint in enumerate(content['joints'])}
    flip = list(range(len(number)))
    for one, other in content['flip_pairs']:
        flip[number[one]], flip[number[other]] = number[other], number[one]
    edges = tuple((number[one], number[other]) for one, other in content['edges'])
    torso = tuple(number[joint] for joint in content['torso'])
    return Skeleton(name, tuple(number), edges, tuple(flip), torso)
