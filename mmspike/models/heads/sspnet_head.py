"""The head of SSPNet: each group of attributes is read off its own part of the person, at its own scale."""
from collections.abc import Mapping, Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmspike.models.layers.group_table import GroupTable
from mmspike.models.layers.prior_location import PriorLocation, Region
from mmspike.models.layers.pyramid_pooling import PyramidPooling
from mmspike.models.layers.scale_selection import ScaleSelection
from mmspike.registry import MODELS
from mmspike.structures.attribute_groups import Place

from .attribute_head import AttributeHead


@MODELS.register_module()
class SSPNetHead(AttributeHead):
    """Pyramid -> prior locations in each group's region -> spatial pyramid pooling -> a classifier per group.

    Which attributes form a group, the rows where it is looked for, and its scale come from the metadata of the data set
    (``AttributeGroupsHook``) or from ``groups``. The classifiers are rows of one linear layer.

    Args:
        num_attributes: A.
        in_channels: C of the pyramid.
        groups: see :class:`mmspike.models.layers.group_table.GroupTable`; None takes all from the data set.
        selection: ``'fixed'``: each group at its scale. ``'adaptive'``: at all scales, with learned weights.
        num_scales: S, how many maps ``'adaptive'`` chooses from, beginning with the finest.
        scale_penalty: weight of the loss that makes ``'adaptive'`` choose.
        scale_gain: how much faster than other parameters ``'adaptive'`` learns.
        num_points: sampling points per position.
        density: share of rows and columns at which there are such positions.
        num_keypoints: K; 0, or the number of keypoints that each sample brings (``keypoints`` ``[K, 3]``: x and y in
            pixels of the model's input, and 1 where visible). A group is then looked for at its visible keypoints
            instead of in its region: its feature is the maximum over them, 0 where none is visible.
        levels: of the spatial pyramid pooling.
        dropout: probability, on the pooled features.
        logit_norm: a batch norm on the logits.
        legacy: as published: sampling grid and initial values of the prior locations, zeros pooled at odd sizes,
            dropout of logits.
        loss: config of the loss, called as ``loss(logits [B, A], labels [B, A])``.
        init_cfg: mmengine's.

    Shape:
        P1 to Pn, ``[B, C, H_i, W_i]`` from the finest -> logits ``[B, A]``.

    Raises:
        GroupError: groups that are not known, or a scale that the neck does not give.
        ValueError: samples without keypoints.

    Source: SSPNet (arXiv 2312.06049).
    Differs: ``legacy``; groups by name and fractions of the height instead of 26 attributes and 256 rows.
    """

    def __init__(self,
                 num_attributes: int,
                 in_channels: int = 256,
                 groups: Mapping[str, Mapping] | None = None,
                 selection: str = 'fixed',
                 num_scales: int = 3,
                 scale_penalty: float = 0.1,
                 scale_gain: float = 10.0,
                 num_points: int = 3,
                 density: float = 1.0,
                 num_keypoints: int = 0,
                 levels: Sequence[int] = (1, 2),
                 dropout: float = 0.1,
                 logit_norm: bool = False,
                 legacy: bool = False,
                 loss: dict = dict(type='WeightedBCELoss'),  # noqa: B006  (a config, never changed)
                 init_cfg: dict | list[dict] | None = None):
        if selection not in ('fixed', 'adaptive'):
            raise ValueError(f"SSPNetHead: selection={selection!r}; expected 'fixed' (each group has its scale) or "
                             "'adaptive' (weights of the scales are learned).")
        pool = PyramidPooling(levels, legacy=legacy)
        features = in_channels * (1 if num_keypoints else pool.num_parts)
        super().__init__(num_attributes, features, dropout, loss, init_cfg)
        self.legacy, self.scale_penalty, self.num_scales = legacy, scale_penalty, num_scales
        self.table = GroupTable(num_attributes, groups, num_keypoints)
        self.prior = PriorLocation(in_channels, in_channels, num_points, density, legacy)
        self.pool = pool
        self.selection = ScaleSelection(num_attributes, num_scales, scale_gain) if selection == 'adaptive' else None
        self.norm = nn.BatchNorm1d(num_attributes) if logit_norm else nn.Identity()

    def forward(self, features: Sequence[Tensor], keypoints: Tensor | None = None) -> Tensor:
        """Logits ``[B, A]``; ``keypoints`` ``[B, K, 3]`` are shares of the image's width and height, and visibility."""
        places, group = self.table.places()
        looks = self._looks(places)  # of each group: (place, scale), one or all scales
        distinct = list(dict.fromkeys(look for scales in looks for look in scales))
        pooled = self._at_keypoints if self.table.num_keypoints else self._in_regions
        vectors = torch.stack(pooled(features, distinct, keypoints))  # [V, B, D]
        if self.selection is None:
            vector_of = [distinct.index(looks[number][0]) for number in group]
        else:
            rows = torch.tensor([[distinct.index(look) for look in scales] for scales in looks], device=vectors.device)
            weights = self.selection(self.table.group).to(vectors.dtype)  # [G, S]
            vectors, vector_of = torch.einsum('gs,gsbd->gbd', weights, vectors[rows]), group
        return self._classify(vectors, vector_of)

    def logits(self, features: Sequence[Tensor], samples: list[DataSample]) -> Tensor:
        return self(features, self._keypoints(samples, features[0]) if self.table.num_keypoints else None)

    def loss(self, features: Sequence[Tensor], samples: list[DataSample]) -> dict[str, Tensor]:
        losses = super().loss(features, samples)
        if self.selection is not None:
            losses['loss_scales'] = self.scale_penalty * self.selection.penalty(self.selection(self.table.group))
        return losses

    def sources_of(self, attribute: int) -> list[tuple[Region, float]]:
        """The regions of the maps that an attribute is read from, and their weights."""
        places, group = self.table.places()
        place = Place() if self.table.num_keypoints else places[group[attribute]]
        weights = {places[group[attribute]].scale - 1: 1.0}
        if self.selection is not None:
            weights = dict(enumerate(self.selection(self.table.group)[group[attribute]].tolist()))
        return [(Region(level, *place.region), weight) for level, weight in weights.items()]

    def _looks(self, places: Sequence[Place]) -> list[list[tuple[Place, int]]]:
        if self.selection is None:
            return [[(place, place.scale - 1)] for place in places]
        return [[(Place(place.region, 1, place.keypoints), scale) for scale in range(self.num_scales)]
                for place in places]

    def _in_regions(self, features: Sequence[Tensor], looks: Sequence[tuple[Place, int]], _: None) -> list[Tensor]:
        self._check_scales(features, looks)
        regions = [Region(scale, *place.region) for place, scale in looks]
        return [self.pool(x) for x in self.prior(features, regions)]

    def _at_keypoints(self, features: Sequence[Tensor], looks: Sequence[tuple[Place, int]],
                      keypoints: Tensor | None) -> list[Tensor]:
        self._check_scales(features, looks)
        if keypoints is None:
            raise ValueError('SSPNetHead: num_keypoints is set, so images alone are not enough. Run the model with '
                             "samples (mode='predict' or 'loss'), or set model.head.num_keypoints=0.")
        chosen = [keypoints[:, list(place.keypoints)] for place, _ in looks]  # [B, N, 3]
        points = [xyv[..., :2] * xyv.new_tensor(features[scale].shape[:-3:-1])
                  for xyv, (_, scale) in zip(chosen, looks, strict=True)]
        out = []
        for x, xyv in zip(self.prior.at_points(features, [s for _, s in looks], points), chosen, strict=True):
            hidden = xyv[..., 2:] <= 0
            out.append(x.masked_fill(hidden, -torch.inf).amax(1).masked_fill(hidden.all(1), 0))  # [B, C]
        return out

    def _classify(self, vectors: Tensor, vector_of: Sequence[int]) -> Tensor:
        """Logits ``[B, A]`` of vectors ``[V, B, D]``, where attribute a reads ``vector_of[a]``."""
        logits = self.fc(vectors if self.legacy else self.dropout(vectors))  # [V, B, A]
        logits = logits[vector_of, :, range(self.num_attributes)].T  # [B, A]
        return self.norm(self.dropout(logits) if self.legacy else logits)

    def _check_scales(self, features: Sequence[Tensor], looks: Sequence[tuple[Place, int]]) -> None:
        last = max(scale for _, scale in looks)
        if last >= len(features):
            raise ValueError(f'SSPNetHead: scale {last + 1} is asked for, the neck gives {len(features)} maps (scale 1 '
                             'is the finest). Let the backbone return more maps (backbone.out_indices), or change the '
                             'scale of the group, or num_scales.')

    def _keypoints(self, samples: Sequence[DataSample], like: Tensor) -> Tensor:
        """``[B, K, 3]``: shares of width and height, and visibility."""
        rows = []
        for sample in samples:
            points = sample.get('keypoints')
            expected = self.table.num_keypoints, 3
            if points is None or tuple(points.shape) != expected:
                found = 'no keypoints' if points is None else f'keypoints of shape {list(points.shape)}'
                raise ValueError(
                    f'SSPNetHead: {sample.get("img_path", "a sample")} has {found}, expected {list(expected)}. Add '
                    '"keypoints": [[x, y, visible], ...] to each image of the annotation file, have PersonCrop and '
                    'PackPerson in the pipelines (not RandomCrop and PackInputs of mmpretrain, which drop them), or '
                    'set model.head.num_keypoints=0.')
            height, width = sample.img_shape[:2]
            rows.append(torch.as_tensor(points) / torch.tensor([width, height, 1.0]))
        return torch.stack(rows).to(like.device, like.dtype)
