"""Where in an image a model was active: model -> forward hooks -> one map per image."""
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmspike.analysis.spikes import firing_neurons

SHARE = 'share of neurons that fire in'
FAINT = 0.05  # a highest rate below it is drawn as what it is: hardly any activity


class HeatMap(NamedTuple):
    """Where a model was active in one image.

    Args:
        values: float32, [h, w].
        name: What a value is.
        low: Value to draw as nothing.
        high: Value to draw as the most.
    """

    values: np.ndarray
    name: str
    low: float
    high: float


class HeatMapRecorder:
    """Record, for each image of a forward, where the model's last layer of maps was active.

    In a spiking model that is the share of neurons that fire at each position, over time and channels, in the last
    layer of spiking neurons whose output has positions; in any other the mean magnitude, over channels, of the
    backbone's last map. Either says where something happened, not which attribute it speaks for. Use it as a context
    manager around one forward; of several the last is kept::

        with HeatMapRecorder(model) as recorder:
            model(images)
        recorder.maps   # [B, h, w]
        recorder.of(0)  # that of the first image, with its name and scale

    Args:
        model: a predictor with a ``backbone`` that is called with images [B, 3, H, W] or frames [T, B, 3, H, W]; it is
            not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        self._neurons = firing_neurons(model)
        self._backbone = getattr(model, 'backbone', model)
        self._seen: dict[str, Tensor] = {}  # in the order of the last calls; [B, h, w] or [B, N]
        self._output: Tensor | None = None
        self._size = (0, 0)
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> 'HeatMapRecorder':
        self._hooks += [module.register_forward_hook(self._record_spikes) for module in self._neurons]
        self._hooks.append(self._backbone.register_forward_hook(self._record_output))
        return self

    def __exit__(self, *exc) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    @property
    def maps(self) -> Tensor | None:
        """float32 [B, h, w] on the CPU; None before a forward, and where no layer has positions."""
        return self._find()[0]

    @property
    def name(self) -> str:
        """What a value of the maps is."""
        return self._find()[1]

    def of(self, index: int) -> HeatMap | None:
        """The map of one image of the batch; None where no layer has positions.

        Rates are drawn from 0, magnitudes, which say nothing by themselves, from the lowest of the image.
        """
        maps, name = self._find()
        if maps is None:
            return None
        values = maps[index].numpy()
        low, high = values.min().item(), values.max().item()
        return HeatMap(values, name, *((0., max(high, FAINT)) if name.startswith(SHARE) else (low, high)))

    def _find(self) -> tuple[Tensor | None, str]:
        for name, rate in reversed(self._seen.items()):
            grid = self._on_grid(rate)
            if grid is not None:
                return grid, f'{SHARE} {name}'
        magnitude = None if self._output is None else self._on_grid(self._output)
        return magnitude, 'mean magnitude of the backbone\'s last map'

    def _on_grid(self, values: Tensor) -> Tensor | None:
        """[B, h, w], or [B, N] whose N positions make a grid of the image's proportions (after a class token)."""
        height, width = self._size
        if values.ndim == 2 and height and width:
            for tokens in (values, values[:, 1:]):
                rows = round((tokens.shape[1] * height / width)**0.5)
                columns = round((tokens.shape[1] * width / height)**0.5)
                if rows * columns == tokens.shape[1] > 0 and rows * width == columns * height:
                    values = tokens.unflatten(1, (rows, columns))
                    break
        if values.ndim == 3 and values.shape[1] * values.shape[2] > 1:
            return values.detach().float().cpu()
        return None

    def _record_spikes(self, module: nn.Module, args, output) -> None:
        spikes = output[0] if isinstance(output, tuple) else output
        axes = {5: (0, 2), 4: (0, 3)}.get(spikes.ndim)  # [T, B, C, h, w] -> [B, h, w], [T, B, N, D] -> [B, N]
        if axes is not None:
            name = self._neurons[module]
            self._seen.pop(name, None)
            self._seen[name] = spikes.detach().abs().mean(axes, dtype=torch.float32)

    def _record_output(self, module: nn.Module, args, output) -> None:
        self._size = tuple(args[0].shape[-2:])
        last = output[-1] if isinstance(output, list | tuple) else output
        axis = {4: 1, 3: 2}.get(last.ndim)  # [B, C, h, w] -> [B, h, w], [B, N, D] -> [B, N]
        self._output = None if axis is None else last.detach().float().abs().mean(axis)
