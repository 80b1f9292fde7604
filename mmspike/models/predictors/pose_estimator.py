"""Pose from events, by one network."""
from mmengine.model import BaseModel
from torch import Tensor

from mmspike.models.layers import per_step
from mmspike.registry import MODELS


@MODELS.register_module()
class PoseEstimator(BaseModel):
    """frames or bins -> backbone -> maps -> head -> loss | joints.

    Args:
        backbone: config of a network that reads ``frames``, each by itself (``PoseUNet``, ``CalabreseCNN``), or of one
            that reads ``bins`` and has a state (``SpikingUNet``, ``ConvLSTMUNet``).
        head: config (``HeatmapHead``).
        data_preprocessor: config; by default ``EventDataPreprocessor`` with the backbone's divisor.
        init_cfg: mmengine's.

    Shape:
        frames ``[F, B, C, H, W]`` -> maps ``[F, B, K, H, W]``; bins ``[T, B, 2, H, W]`` -> maps ``[T, B, K, H, W]``.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict = dict(type='HeatmapHead'),  # noqa: B006  (a config, never changed)
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | list[dict] | None = None):
        backbone = MODELS.build(backbone)
        data_preprocessor = data_preprocessor or dict(
            type='EventDataPreprocessor', size_divisor=backbone.size_divisor)
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        self.backbone = backbone
        self.head = MODELS.build(head)

    @property
    def reads(self) -> tuple[str, ...]:
        """Which of the inputs the model is given: ``('frames',)`` or ``('bins',)``."""
        return (self.backbone.reads,)

    def step(self, bins: Tensor, state: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Go on by any number of bins: ``[T, B, 2, H, W]``, state (None: rest) -> maps ``[T, B, K, H, W]``, state."""
        return self.backbone(bins, state)

    def forward(self, inputs: dict[str, Tensor], data_samples: list | None = None, mode: str = 'tensor'):
        """Run the model.

        Args:
            inputs: ``frames`` or ``bins``, time first.
            data_samples: one ``PoseDataSample`` each, with ``gt_keypoints`` and ``gt_visible`` in ``'loss'`` mode.
            mode: ``'tensor'`` gives maps, ``'loss'`` a dict of losses, ``'predict'`` the samples with
                ``pred_keypoints`` and ``pred_scores``.
        """
        maps = self.maps(inputs)
        if mode == 'tensor':
            return maps
        if mode == 'loss':
            return dict(loss_pose=self.head.loss(maps, data_samples))
        if mode == 'predict':
            return self.head.predict(maps, data_samples)
        raise ValueError(f"PoseEstimator: mode is {mode!r}; expected 'tensor', 'loss' or 'predict'.")

    def maps(self, inputs: dict[str, Tensor]) -> Tensor:
        """Maps of all frames, or of all bins from rest."""
        reads, = self.reads
        if reads not in inputs:
            raise ValueError(f'PoseEstimator: a {type(self.backbone).__name__} reads {reads!r}, but the inputs are '
                             f'{sorted(inputs)}. Put the transform that makes them into the pipeline '
                             '(EventsToFrames, EventsToBins).')
        if reads == 'frames':
            return per_step(self.backbone, inputs['frames'])
        return self.step(inputs['bins'])[0]
