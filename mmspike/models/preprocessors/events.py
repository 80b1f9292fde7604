"""From lists of event stacks to tensors with time first."""
import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmspike.registry import MODELS


@MODELS.register_module()
class EventDataPreprocessor(BaseDataPreprocessor):
    """Stack bins and frames, move them to the device, put time first, pad them at the right and the bottom.

    Args:
        size_divisor: heights and widths are padded with zeros (no events) to multiples of it. The head cuts the maps
            to the ``image_shape`` of the samples again.

    Shape:
        ``inputs['bins']``: B tensors ``[T, 2, H, W]`` of any type -> float ``[T, B, 2, H', W']``;
        ``inputs['frames']``: B tensors ``[F, C, H, W]`` -> float ``[F, B, C, H', W']``. Either may be absent.

    Raises:
        ValueError: no input, or inputs that differ in shape within a batch.
    """

    def __init__(self, size_divisor: int = 32, non_blocking: bool = False):
        super().__init__(non_blocking)
        self.size_divisor = size_divisor

    def forward(self, data: dict, training: bool = False) -> dict:
        inputs = {name: stacks for name, stacks in data['inputs'].items() if name in ('bins', 'frames')}
        if not inputs:
            raise ValueError("EventDataPreprocessor: neither 'bins' nor 'frames' among the inputs "
                             f'{sorted(data["inputs"])}. End the pipeline with EventsToBins or EventsToFrames, and '
                             'PackPose.')
        for name, stacks in inputs.items():
            shapes = {tuple(stack.shape) for stack in stacks}
            if len(shapes) > 1:
                raise ValueError(f'EventDataPreprocessor: the {name} of one batch have the shapes {sorted(shapes)} '
                                 '[time, channels, height, width]. Take windows of one length from cameras of one '
                                 'size, or use batch_size=1.')
        data = self.cast_data(dict(data, inputs={name: torch.stack(tuple(y), 1) for name, y in inputs.items()}))
        return dict(data, inputs={name: self._pad(y.float()) for name, y in data['inputs'].items()})

    def _pad(self, stack: Tensor) -> Tensor:
        height, width = (-length % self.size_divisor for length in stack.shape[-2:])
        return F.pad(stack, (0, width, 0, height)) if height or width else stack
