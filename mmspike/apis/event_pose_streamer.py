"""Poses while events come in."""
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from torch import Tensor

from mmspike.apis.model import init_model
from mmspike.datasets.events import EVENT
from mmspike.datasets.events.event_array import first_step_back
from mmspike.datasets.transforms import LoadFrameImages
from mmspike.datasets.transforms.events import EventsToBins, EventsToFrames, LoadEvents
from mmspike.registry import TRANSFORMS

LATENCIES = 4096  # of so many updates the latencies are kept
CHUNK = 2**15  # so many events are taken at a time
NEVER = 2**62


@dataclass(frozen=True)
class StreamedPose:
    """One update.

    Args:
        time_us: up to which the events are in it.
        keypoints: (x, y) in pixels of the picture that the model sees. **Shape** [K, 2].
        scores: height of the maps. **Shape** [K].
        looked: whether the CNN has run for it.
        latency: seconds of work from the last event to the pose.
        seen: what the model was given last, the bin [2, H, W] or, of a CNN alone, the frame [C, H, W].
    """

    time_us: int
    keypoints: np.ndarray
    scores: np.ndarray
    looked: bool
    latency: float
    seen: np.ndarray


class EventPoseStreamer:
    """Feed events as they come, get a pose for every bin that is over.

    events -> at times of a look: the last events -> CNN -> state
           -> every bin -> network, state -> pose, state

    Works with every model of this task: a hybrid looks with its CNN and goes on with its network; a network without a
    CNN begins at rest at the first event, and again at every look; a CNN alone gives a pose at every look. What is
    done to the events is what the config's test pipeline does, so that a window gives the same poses as there. Memory
    is that of the model, of the events that the CNN looks back at, and of one bin.

    Args:
        config: path of a config of a pose model, or a loaded one.
        checkpoint: file with its weights.
        image_shape: height and width of the sensor.
        bin_us: length of a bin; the one that the model was trained with.
        look_us: from look to look, a whole number of bins; None: only the first, and those that ``trigger`` asks for.
        trigger: called with every pose; where it gives True, the model looks again before the next bin.
        device: where the model runs.
        cfg_options: dotted path -> value, put over the config.

    Raises:
        ValueError: a pipeline that cannot run in time with the events, or lengths that do not fit.
    """

    def __init__(self, config: str | Path | Config, checkpoint: str | Path | None, image_shape: tuple[int, int],
                 bin_us: int = 10_000, look_us: int | None = 100_000,
                 trigger: Callable[[StreamedPose], bool] | None = None, device: str | torch.device = 'cpu',
                 cfg_options: dict | None = None) -> None:
        if bin_us <= 0 or (look_us is not None and (look_us <= 0 or look_us % bin_us)):
            raise ValueError(f'EventPoseStreamer: bin_us={bin_us}, look_us={look_us}; expected a positive length, and '
                             'a whole number of bins from look to look, such as 10000 and 100000')
        self.model = init_model(config, checkpoint, device, cfg_options)
        self.image_shape, self.bin_us, self.look_us, self.trigger = tuple(image_shape), bin_us, look_us, trigger
        self._read_pipeline()
        self.looks, self.steps = 'frames' in self.model.reads, 'bins' in self.model.reads
        if self.looks and not self.steps and look_us is None:
            raise ValueError('EventPoseStreamer: a CNN alone gives poses at its looks only; give look_us, such as '
                             f'{10 * bin_us}')
        self.latencies: deque[tuple[bool, float]] = deque(maxlen=LATENCIES)
        self.reset()

    def _read_pipeline(self) -> None:
        """The steps between reading and packing, and how far back they look."""
        pipeline = self.model.cfg.test_dataloader.dataset.pipeline
        with DefaultScope.overwrite_default_scope('mmspike'):
            steps = [TRANSFORMS.build(step) for step in pipeline]
        loads = [step for step in steps if isinstance(step, LoadEvents)]
        if not loads:
            raise ValueError(f'{self.model.cfg.filename}: no LoadEvents in test_dataloader.dataset.pipeline; expected '
                             'the transforms of a pose model, as in configs/_base_/datasets/synthetic_pose.py')
        self.history = max(loads[0].count, 0), max(loads[0].duration, 0)
        self.transforms = [step for step in steps[steps.index(loads[0]) + 1:] if type(step).__name__ != 'PackPose']
        for step in self.transforms:
            if isinstance(step, LoadFrameImages):
                raise ValueError(f'{self.model.cfg.filename}: its CNN looks at images (LoadFrameImages), which are not '
                                 'among the events. Use a model whose frames are made by EventsToFrames, such as '
                                 'configs/hybrid_pose/hybrid_pose_cnn-snn_h36m-events.py')
            if isinstance(step, EventsToBins) and step.kind != 'counts':
                raise ValueError(f'EventPoseStreamer: EventsToBins(kind={step.kind!r}) divides a window by its last '
                                 "event, which has not come yet. Use a model trained with kind='counts'.")
        moments = [step.at[0] for step in self.transforms if isinstance(step, EventsToFrames)]
        self._at_start = 'bins' not in self.model.reads and moments == ['start']  # else a pose is of a bin's end

    def reset(self) -> None:
        """Forget all events and the state: another recording begins."""
        self._events = np.empty(0, EVENT)  # the history of a look, and the bin that is not over
        self._now: int | None = None  # start of that bin
        self._first = 0  # time of the first event
        self._known = -NEVER  # no event before this time may follow
        self._next_look: int | None = None
        self._state = None
        self._has_state = False

    def feed(self, events: np.ndarray, until: int | None = None) -> list[StreamedPose]:
        """Take the next events, and give the poses of the bins that are over.

        Args:
            events: ``EVENT`` in order of time, none earlier than those before, or than the last ``until``. **Shape**
                [N], any N.
            until: us; says that all events before it have come. Default: the time of the last event.

        Raises:
            ValueError: events that are out of order.
        """
        poses = []
        for first in range(0, len(events), CHUNK):
            self._append(events[first:first + CHUNK])
            poses += self._advance(int(self._events['t'][-1]))
        if until is not None:
            poses += self._advance(until)
            self._known = max(self._known, until)
        return poses

    def latency(self) -> dict[str, float]:
        """Median and greatest latency in ms of updates with and without a look, of the last 4096."""
        figures = {}
        for looked, name in ((True, 'look'), (False, 'step')):
            ms = [1000 * seconds for with_look, seconds in self.latencies if with_look == looked]
            if ms:
                figures |= {f'{name}_median_ms': float(np.median(ms)), f'{name}_max_ms': max(ms)}
        return figures

    def _append(self, events: np.ndarray) -> None:
        t = events['t']
        step = first_step_back(t)
        if step is not None or t[0] < self._known:
            before, after = (self._known, t[0]) if step is None else t[step - 1:step + 1]
            raise ValueError(f'EventPoseStreamer: the events go back in time, from {before} us to {after} us. Feed '
                             'them in order; for another recording call reset() first.')
        self._known = int(t[-1])
        if self._now is None:
            self._first = int(t[0])
            self._now = self._first // self.bin_us * self.bin_us
        self._events = np.concatenate([self._events, events])

    def _advance(self, until: int) -> list[StreamedPose]:
        """Go through the bins that end by ``until``, and forget the events that nothing will look back at."""
        poses = []
        while self._now is not None and self._now + self.bin_us <= until:
            pose = self._update()
            if pose is not None:
                poses.append(pose)
            self._now += self.bin_us
        if self._now is not None:
            self._events = self._events[self._history_start():].copy()  # not a view, which would keep all
        return poses

    def _history_start(self) -> int:
        """Number of the first event that a look at the start of the bin sees."""
        count, duration = self.history
        first = self._index(self._now) - count
        return max(0, min(first, self._index(self._now - duration)) if duration else first)

    def _index(self, moment: int) -> int:
        return int(np.searchsorted(self._events['t'], moment))

    def _update(self) -> StreamedPose | None:
        """The pose of the bin, if there is one."""
        begin = time.perf_counter()
        looked = self._is_time_to_look()
        if not (looked or (self._has_state and self.steps)):
            return None
        inputs = self._inputs(looked)
        with torch.no_grad():
            maps = self._run(inputs, looked)
            height, width = self._shape
            keypoints, scores = self.model.head.codec.decode(maps[..., :height, :width])
        latency = time.perf_counter() - begin
        self.latencies.append((looked, latency))
        moment = self._now if self._at_start else self._now + self.bin_us
        seen = inputs['bins' if self.steps else 'frames'][0, 0, :, :height, :width].cpu().numpy()
        pose = StreamedPose(moment, keypoints[0].cpu().numpy(), scores[0].cpu().numpy(), looked, latency, seen)
        if self.trigger is not None and self.trigger(pose):
            self._next_look = self._now + self.bin_us
        return pose

    def _is_time_to_look(self) -> bool:
        if self._next_look is None:  # looks are at multiples of look_us, as the windows of a data set
            if self.look_us is not None and self._now % self.look_us:
                return False
            count, duration = self.history
            enough = self._index(self._now) >= count and self._first <= self._now - duration
            if self.looks and not enough:
                return False
        elif self._now < self._next_look:
            return False
        self._next_look = NEVER if self.look_us is None else self._now + self.look_us
        return True

    def _inputs(self, looked: bool) -> dict[str, Tensor]:
        """What the model is given: ``frames`` ``[1, 1, C, H, W]`` at a look, and ``bins`` ``[1, 1, 2, H, W]``."""
        stop = self._now + self.bin_us
        events = self._events[self._history_start():self._index(stop)]
        results = dict(events=events, image_shape=self.image_shape, start=self._now, stop=stop, bin_us=self.bin_us,
                       file='the stream')
        for step in self.transforms:
            unused = isinstance(step, EventsToFrames) and not (looked and self.looks)
            if not unused and not (isinstance(step, EventsToBins) and not self.steps):
                results = step(results)
        self._shape = results['image_shape']
        arrays = {name: [torch.from_numpy(results[name][:1])] for name in ('frames', 'bins') if name in results}
        return self.model.data_preprocessor(dict(inputs=arrays))['inputs']

    def _run(self, inputs: dict[str, Tensor], looked: bool) -> Tensor:
        """Maps ``[1, K, H, W]``; the state goes on."""
        if not self.steps:
            return self.model(dict(frames=inputs['frames']))[0]
        if looked:
            self._state = self.model.initialise(inputs['frames'][0]) if self.looks else None
            self._has_state = True
        maps, self._state = self.model.step(inputs['bins'], self._state)
        return maps[0]


def score_below(threshold: float) -> Callable[[StreamedPose], bool]:
    """A trigger: look again when the mean score of the joints falls below a threshold."""
    def trigger(pose: StreamedPose) -> bool:
        if not np.isfinite(pose.scores).all():
            print_log('EventPoseStreamer: scores are not finite; is the checkpoint damaged?', 'current',
                      level=logging.WARNING)
        return bool(pose.scores.mean() < threshold)
    return trigger
