"""Which attributes belong together and where they are looked for, as part of a model."""
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from mmspike.structures.attribute_groups import GroupError, Place, places_of
from mmspike.utils.lookup import did_you_mean, nearest

UNKNOWN = -1


class GroupTable(nn.Module):
    """Group and place of each attribute, from the data set or from the config.

    What comes from a data set is kept in the state dict, since the weights belong to it: a checkpoint needs no data
    set to run. What the config states whole is not.

    Args:
        num_attributes: A.
        groups: group -> ``dict(region=(top, bottom), scale=..., keypoints=...)``, each of them over what the data set
            says; with ``attributes``, a list of columns, in all groups, these are the groups and no data set is asked.
        num_keypoints: K, of each image; 0 for none.

    Raises:
        GroupError: groups that are not places, or columns that are not each in one group.
    """

    def __init__(self, num_attributes: int, groups: Mapping[str, Mapping] | None = None, num_keypoints: int = 0):
        super().__init__()
        self.num_attributes, self.num_keypoints = num_attributes, num_keypoints
        self.groups = dict(groups or {})
        self.names: list[str] = []  # of the groups, where known
        self.is_stated = bool(self.groups) and all('attributes' in values for values in self.groups.values())
        tables = dict(group=torch.full((num_attributes,), UNKNOWN), region=torch.zeros(num_attributes, 2),
                      scale=torch.zeros(num_attributes, dtype=torch.long),
                      keypoints=torch.zeros(num_attributes, num_keypoints, dtype=torch.bool))
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=not self.is_stated)
        self._read: tuple[list[Place], list[int]] | None = None
        if self.is_stated:
            self._write(*self._stated())

    def read_meta(self, meta: Mapping) -> None:
        """Take the groups of a data set, unless the config states them.

        Args:
            meta: ``metainfo`` of the data set: ``groups``, one per attribute, and ``group_places``.

        Raises:
            GroupError: a group without a place, groups of another number of attributes, or a place in the config for a
                group that the data set does not have.
        """
        if self.is_stated:
            return
        groups = list(meta.get('groups') or ())
        if len(groups) != self.num_attributes:
            raise GroupError(f'the data set {meta.get("dataset", "")} names the groups of {len(groups)} attributes, '
                             f'the model has {self.num_attributes}. Set model.head.num_attributes to those of the data '
                             'set; a data set without groups needs model.head.groups=dict(name=dict(region=..., '
                             'scale=..., attributes=[...]), ...)')
        unknown = [name for name in self.groups if name not in groups]
        if unknown:
            known = list(dict.fromkeys(groups))
            raise GroupError(f'model.head.groups has the group {unknown[0]!r}; the data set {meta.get("dataset", "")} '
                             f'has {", ".join(map(repr, known))}.{did_you_mean(nearest(unknown[0], known))}')
        told = meta.get('group_places') or {}
        self._write(groups, {**told, **{name: {**told.get(name, {}), **own} for name, own in self.groups.items()}})

    def places(self) -> tuple[list[Place], list[int]]:
        """Place of each group, and number of each attribute's group.

        Raises:
            GroupError: neither a data set nor a checkpoint nor the config has told them.
        """
        if self._read is None:
            group = self.group.tolist()
            if UNKNOWN in group:
                raise GroupError('SSPNetHead: the groups of the attributes are not known. Load a checkpoint, keep '
                                 'AttributeGroupsHook among the hooks (it reads them from the data set), or state them '
                                 'in the config: model.head.groups=dict(head=dict(region=[0.0, 0.375], scale=1, '
                                 'attributes=[0, 1]), ...).')
            rows = [group.index(number) for number in range(max(group) + 1)]  # first attribute of each group
            self._read = [Place(tuple(self.region[row].tolist()), int(self.scale[row]),
                                tuple(self.keypoints[row].nonzero().flatten().tolist())) for row in rows], group
        return self._read

    def _stated(self) -> tuple[list[str], dict[str, dict]]:
        columns = [column for values in self.groups.values() for column in values['attributes']]
        if sorted(columns) != list(range(self.num_attributes)):
            raise GroupError(f'SSPNetHead: model.head.groups puts the columns {sorted(columns)} into groups; expected '
                             f'each of 0 to {self.num_attributes - 1} (num_attributes={self.num_attributes}) once.')
        of = {column: name for name, values in self.groups.items() for column in values['attributes']}
        places = {name: {key: value for key, value in values.items() if key != 'attributes'}
                  for name, values in self.groups.items()}
        return [of[column] for column in range(self.num_attributes)], places

    def _write(self, groups: Sequence[str], places: Mapping[str, Mapping]) -> None:
        found = places_of(groups, places)
        self.names = list(dict.fromkeys(groups))
        if self.num_keypoints:
            for name, place in zip(groups, found, strict=True):
                if not place.keypoints or max(place.keypoints) >= self.num_keypoints:
                    raise GroupError(f'the group {name!r} has the keypoints {list(place.keypoints)}, expected some of '
                                     f'0 to {self.num_keypoints - 1} (model.head.num_keypoints={self.num_keypoints}). '
                                     f'Add them to the annotation file, "groups": {{"{name}": {{..., "keypoints": '
                                     '[0, 1]}}, or set model.head.num_keypoints=0 to use regions.')
        with torch.no_grad():
            self.group.copy_(torch.tensor([self.names.index(name) for name in groups]))
            self.region.copy_(torch.tensor([place.region for place in found]))
            self.scale.copy_(torch.tensor([place.scale for place in found]))
            for row, place in zip(self.keypoints, found, strict=True):
                row[[k for k in place.keypoints if k < self.num_keypoints]] = True
        self._read = None

    def _load_from_state_dict(self, *args) -> None:
        super()._load_from_state_dict(*args)
        self._read = None

    def extra_repr(self) -> str:
        return f'{self.num_attributes} attributes, groups: {", ".join(self.names) or "not known yet"}'
