"""Pose from events: a CNN that looks rarely, and a network that goes on from what it saw."""
import math
from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmspike.registry import MODELS
from mmspike.structures import PoseDataSample


class HybridState(NamedTuple):
    """All that goes on from one bin to the next.

    Attributes:
        maps: the last output ``[B, K, H, W]``; right after the CNN has looked, the CNN's.
        network: the states of the network by name: membranes, or hidden and cell maps.
    """

    maps: Tensor
    network: dict[str, Tensor]


@MODELS.register_module()
class HybridPoseEstimator(BaseModel):
    """A CNN sets output and state, then a network updates both from bin to bin.

    frame -> ``cnn`` -> maps of the joints -> output before the first bin
                     -> ``initializer``    -> state before the first bin
    bins, state -> ``network`` -> increments; output of a bin = ``output_decay`` * output of the last + increment

    Args:
        cnn: config of a network with ``features`` (``PoseUNet``).
        network: config of a network with a state (``SpikingUNet``, ``ConvLSTMUNet``).
        initializer: config (``StateInitializer``), or None: the network starts at rest (ablation C).
        head: config (``HeatmapHead``).
        output_decay: of the output rule, 0 to 1. None: the output is what the network gives, and the CNN sets the
            states alone (ablation B).
        state_loss: weight r of the second loss, ``(1 - r) * maps + r * states``: the states after the last bin are to
            be those that the CNN sets for the next window. Needs two frames, the second at the window's end.
        freeze_cnn: train the rest alone.
        data_preprocessor: config; by default ``EventDataPreprocessor`` with the divisor that both need.
        init_cfg: mmengine's; the parts' own load what earlier stages have trained (``StageWeights``).

    Shape:
        frames ``[F, B, C, H, W]`` (the first is looked at; the second serves the state loss), bins
        ``[T, B, 2, H, W]`` -> maps ``[T, B, K, H, W]``.

    Source: hybrid ANN-SNN (arXiv 2303.14176).
    Differs: nothing in what is computed. The published model keeps output and states in the module, and gives those of
        the sequence before to a second one that is not initialised.
    """

    reads = ('frames', 'bins')

    def __init__(self,
                 cnn: dict,
                 network: dict,
                 initializer: dict | None = None,
                 head: dict = dict(type='HeatmapHead'),  # noqa: B006  (a config, never changed)
                 output_decay: float | None = 0.8,
                 state_loss: float = 0.0,
                 freeze_cnn: bool = True,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | list[dict] | None = None):
        if output_decay is not None and not 0 <= output_decay <= 1:
            raise ValueError(f'HybridPoseEstimator: output_decay={output_decay} has to be between 0 and 1, or None.')
        if not 0 <= state_loss < 1 or (state_loss and initializer is None):
            raise ValueError(f'HybridPoseEstimator: state_loss={state_loss} is the share of the loss that compares '
                             'states with those that the initializer sets: 0 to 1, and 0 without an initializer.')
        cnn, network = MODELS.build(cnn), MODELS.build(network)
        if not hasattr(cnn, 'features'):
            raise ValueError(f'HybridPoseEstimator: a {type(cnn).__name__} does not give the maps of its levels '
                             "(features), from which the states are set. Use cnn=dict(type='PoseUNet', ...).")
        if cnn.out_channels != network.out_channels:
            raise ValueError(f'HybridPoseEstimator: cnn.out_channels={cnn.out_channels}, network.out_channels='
                             f'{network.out_channels}. Expected the number of joints twice.')
        data_preprocessor = data_preprocessor or dict(
            type='EventDataPreprocessor', size_divisor=math.lcm(cnn.size_divisor, network.size_divisor))
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        self.cnn, self.network, self.initializer = cnn, network, None
        if initializer is not None:
            self.initializer = MODELS.build(
                dict(initializer, features=cnn.feature_sizes, sites=self.network.state_sizes))
        self.head = MODELS.build(head)
        self.output_decay, self.state_loss, self.freeze_cnn = output_decay, state_loss, freeze_cnn
        self.cnn.requires_grad_(not freeze_cnn)

    def train(self, mode: bool = True) -> 'HybridPoseEstimator':
        super().train(mode)
        if self.freeze_cnn:
            self.cnn.eval()
        return self

    def initialise(self, frames: Tensor) -> HybridState:
        """Let the CNN look: frames ``[B, C, H, W]`` -> the state before the first bin."""
        maps, states = self._look(frames[None])
        return HybridState(maps[0], {name: state[0] for name, state in states.items()})

    def step(self, bins: Tensor, state: HybridState) -> tuple[Tensor, HybridState]:
        """Go on by any number of bins: ``[T, B, 2, H, W]``, state -> maps ``[T, B, K, H, W]``, state."""
        maps, network = self.network(bins, state.network)
        if self.output_decay is not None:
            maps = accumulate(maps, state.maps, self.output_decay)
        return maps, HybridState(maps[-1], network)

    def forward(self, inputs: dict[str, Tensor], data_samples: list[PoseDataSample] | None = None,
                mode: str = 'tensor'):
        """Run the model.

        Args:
            inputs: ``frames`` and ``bins``, time first.
            data_samples: one each, with ``gt_keypoints`` and ``gt_visible`` in ``'loss'`` mode.
            mode: ``'tensor'`` gives maps, ``'loss'`` a dict of losses, ``'predict'`` the samples with
                ``pred_keypoints``, ``pred_scores`` and the CNN's own ``hold_keypoints``, kept for all bins.
        """
        missing = {'frames', 'bins'} - set(inputs)
        if missing:
            raise ValueError(f'HybridPoseEstimator: no {" and no ".join(sorted(missing))} among the inputs '
                             f'{sorted(inputs)}. The pipeline needs both EventsToFrames and EventsToBins.')
        frames, bins = inputs['frames'], inputs['bins']
        if mode == 'loss':
            return self._losses(frames, bins, data_samples)
        if mode not in ('tensor', 'predict'):
            raise ValueError(f"HybridPoseEstimator: mode is {mode!r}; expected 'tensor', 'loss' or 'predict'.")
        state = self.initialise(frames[0])
        maps, _ = self.step(bins, state)
        if mode == 'tensor':
            return maps
        self.head.predict(maps, data_samples)
        return self.head.predict_hold(state.maps, data_samples, len(bins))

    def _losses(self, frames: Tensor, bins: Tensor, samples: list[PoseDataSample]) -> dict[str, Tensor]:
        looks = 2 if self.state_loss else 1
        if len(frames) < looks:
            raise ValueError(f'HybridPoseEstimator: state_loss={self.state_loss} needs a frame at the start and one '
                             f'at the end of each window, got {len(frames)}. Let EventsToFrames make both, or set '
                             'model.state_loss=0.')
        maps, states = self._look(frames[:looks])
        start = HybridState(maps[0], {name: state[0] for name, state in states.items()})
        maps, end = self.step(bins, start)
        losses = dict(loss_pose=(1 - self.state_loss) * self.head.loss(maps, samples))
        if self.state_loss:
            errors = [(state[1] - end.network[name]).square().mean() for name, state in states.items()]
            losses['loss_state'] = self.state_loss * torch.stack(errors).mean()
        return losses

    def _look(self, frames: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Frames ``[F, B, C, H, W]`` -> the CNN's maps ``[F, B, K, H, W]`` and the states that it sets."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_cnn):
            features = {name: y.unflatten(0, frames.shape[:2])
                        for name, y in self.cnn.features(frames.flatten(0, 1)).items()}
        return features['maps'], {} if self.initializer is None else self.initializer(features)


def accumulate(increments: Tensor, start: Tensor, decay: float) -> Tensor:
    """``y_t = decay * y_(t-1) + increments_t`` from ``y = start`` on: ``[T, ...]``, ``[...]`` -> ``[T, ...]``."""
    outputs = []
    for increment in increments:
        start = torch.add(increment, start, alpha=decay)
        outputs.append(start)
    return torch.stack(outputs)
