"""Groups of attributes, and where on a person a group is looked for."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmspike.utils.lookup import did_you_mean, nearest

KEYS = ('region', 'scale', 'keypoints')
EXAMPLE = '{"region": [0.0, 0.375], "scale": 1}'


class GroupError(ValueError):
    """A group of attributes whose place is not known, or cannot be one."""


@dataclass(frozen=True)
class Place:
    """Where a group of attributes is looked for.

    Args:
        region: Top and bottom row, as fractions of the image's height from 0 to 1.
        scale: Number of the feature map, 1 is the finest.
        keypoints: Numbers of the image's keypoints that belong to the group, from 0.
    """

    region: tuple[float, float] = (0.0, 1.0)
    scale: int = 1
    keypoints: tuple[int, ...] = ()

    @classmethod
    def read(cls, values: object, name: str) -> 'Place':
        """From the dictionary of an annotation file or a config.

        Raises:
            GroupError: It is not one, or says what cannot be; names the group.
        """
        if not isinstance(values, Mapping) or not set(values) <= set(KEYS):
            raise GroupError(f'the group {name!r} is {values!r}, expected such as {EXAMPLE}, with "keypoints": [0, 1] '
                             'where keypoints are used')
        region, scale = values.get('region', (0.0, 1.0)), values.get('scale', 1)
        numbers = isinstance(region, Sequence) and len(region) == 2 and all(isinstance(y, int | float) for y in region)
        if not numbers or not 0 <= region[0] < region[1] <= 1:
            raise GroupError(f'the group {name!r} has the region {region!r}, expected [top, bottom] as fractions of '
                             'the height, 0 <= top < bottom <= 1, such as [0.125, 0.625] for a torso')
        if not isinstance(scale, int) or scale < 1:
            raise GroupError(f'the group {name!r} has the scale {scale!r}, expected 1 (the finest map), 2, 3...')
        keypoints = values.get('keypoints', ())
        if not isinstance(keypoints, Sequence) or not all(isinstance(k, int) and k >= 0 for k in keypoints):
            raise GroupError(f'the group {name!r} has the keypoints {keypoints!r}, expected numbers from 0, such as '
                             '[0, 1, 2]')
        return cls((float(region[0]), float(region[1])), scale, tuple(keypoints))


def places_of(groups: Sequence[str], places: Mapping[str, Mapping]) -> list[Place]:
    """The place of each attribute.

    Args:
        groups: Name of the group of each attribute.
        places: Group -> ``dict(region=..., scale=..., keypoints=...)``.

    Raises:
        GroupError: A group without a place: says what to add, and where.
    """
    known = {name: Place.read(values, name) for name, values in places.items()}
    missing = [name for name in dict.fromkeys(groups) if name not in known]
    if missing:
        raise GroupError(
            f'nothing says where the group {missing[0]!r} is looked for; known: '
            f'{", ".join(map(repr, known)) or "none"}.{did_you_mean(nearest(missing[0], known))} Add it to the '
            f'annotation file, "groups": {{"{missing[0]}": {EXAMPLE}}} (region: top and bottom as fractions of the '
            'height; scale: 1 is the finest map), or to the config, '
            f'model.head.groups={{{missing[0]!r}: dict(region=[0.0, 0.375], scale=1)}}.')
    return [known[name] for name in groups]
