"""From heat maps to losses and to joints."""
import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmspike.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class HeatmapHead(BaseModule):
    """maps -> loss against the labels' maps | joints in the samples. No parameters: the network gives the maps.

    Args:
        codec: config of what turns joints into maps and back (``HeatmapCodec``).
        loss: config of the loss, called as ``loss(maps, target, visible)``.

    Maps of half precision, as mixed-precision training gives them, are computed with in float32: in bfloat16 pixels
    beyond the 256th are told apart by twos, and in float16 the errors' squares are lost.

    Shape:
        maps ``[T, B, K, H, W]``; labels of sample b ``[T, K, 2]``. Maps that a preprocessor has padded on the right and
        at the bottom are cut to the ``image_shape`` of the samples first.
    """

    def __init__(self,
                 codec: dict = dict(type='HeatmapCodec'),  # noqa: B006  (a config, never changed)
                 loss: dict = dict(type='HeatmapMSELoss')):  # noqa: B006
        super().__init__()
        self.codec = TASK_UTILS.build(codec)
        self.loss_module = MODELS.build(loss)

    def loss(self, maps: Tensor, samples: list) -> Tensor:
        """The loss over all time steps: a number."""
        maps = cut_to_image(maps, samples)
        keypoints, visible = labels_of(samples, maps)
        target = self.codec.encode(keypoints, visible, maps.shape[-2:])
        return self.loss_module(maps, target, visible)

    def predict(self, maps: Tensor, samples: list) -> list:
        """Fills ``pred_keypoints`` ``[T, K, 2]`` and ``pred_scores`` ``[T, K]`` of every sample."""
        keypoints, scores = self.codec.decode(cut_to_image(maps, samples))
        for sample, places, heights in zip(samples, keypoints.unbind(1), scores.unbind(1), strict=True):
            sample.pred_keypoints, sample.pred_scores = places, heights
        return samples

    def predict_hold(self, maps: Tensor, samples: list, steps: int) -> list:
        """Fills ``hold_keypoints`` ``[steps, K, 2]``: the joints of one map ``[B, K, H, W]``, kept for all steps."""
        keypoints, _ = self.codec.decode(cut_to_image(maps, samples))
        for sample, places in zip(samples, keypoints, strict=True):
            sample.hold_keypoints = places.expand(steps, -1, -1)
        return samples


def cut_to_image(maps: Tensor, samples: list) -> Tensor:
    """Maps without what was padded, in float32 at least: ``[..., H, W]`` -> ``[..., h, w]``."""
    height, width = samples[0].get('image_shape', maps.shape[-2:])
    return maps[..., :height, :width].to(torch.promote_types(maps.dtype, torch.float32))


def labels_of(samples: list, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Joints ``[T, B, K, 2]`` and whether they are visible ``[T, B, K]``, of maps ``[T, B, K, H, W]``."""
    keypoints = torch.stack([sample.gt_keypoints for sample in samples], 1).to(maps)
    visible = torch.stack([sample.gt_visible for sample in samples], 1).to(maps.device)
    if keypoints.shape[:3] != maps.shape[:3]:
        raise ValueError(f'HeatmapHead: labels {list(keypoints.shape)} [T, B, K, 2] do not fit maps '
                         f'{list(maps.shape)} [T, B, K, H, W]. One label is needed for each bin (of a CNN: for each '
                         'frame), and as many joints as model.backbone.out_channels.')
    return keypoints, visible
