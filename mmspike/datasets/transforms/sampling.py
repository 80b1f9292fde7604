"""Which frames of a video make a clip.

All indices count from 0. A clip is a row; a video may give several (multi-clip testing): ``[num_clips, T]``, flattened
clip by clip into ``frame_inds``, as mmaction's transforms expect.
"""
import numpy as np
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS

DENSE_WINDOW = 64  # frames that a dense clip spans, as in TSN and TDN


def segment_indices(num_frames: int, num_segments: int, new_length: int, phases: np.ndarray) -> np.ndarray:
    """One index per segment: the video is cut in equal segments, the phase says where in each.

    A video shorter than ``num_segments`` is spread evenly by the same formula: neighbours repeat, the order stays.

    Args:
        num_frames: Frames in the video.
        num_segments: K.
        new_length: Frames read at each index; the last index leaves room for them.
        phases: In [0, 1). **Shape** [..., K], or [..., 1] for the same phase in each segment.

    Returns:
        np.ndarray: **Shape** [..., K].
    """
    usable = max(1, num_frames - new_length + 1)
    return np.floor((np.arange(num_segments) + phases) * usable / num_segments).astype(np.int64)


def dense_indices(num_frames: int, num_segments: int, starts: np.ndarray) -> np.ndarray:
    """K frames at a fixed step within a window of 64; past the end of a short video they start over.

    Args:
        num_frames: Frames in the video.
        num_segments: K.
        starts: First frame of each clip. **Shape** [C].

    Returns:
        np.ndarray: **Shape** [C, K].
    """
    step = max(1, DENSE_WINDOW // num_segments)
    return (starts[:, None] + step * np.arange(num_segments)) % num_frames


def legacy_train_indices(num_frames: int, num_segments: int, new_length: int) -> np.ndarray:
    """The published random sampler. Draws from numpy's global generator. Returns **Shape** [K], from 0."""
    first_frames = np.arange(num_segments)
    if num_frames <= num_segments:
        return first_frames if num_frames == num_segments else np.zeros(num_segments, np.int64)
    usable = num_frames - new_length + 1
    if usable < num_segments:
        usable = num_frames - 5 + 1
    segment = usable // num_segments
    if segment <= 0:
        return first_frames
    return first_frames * segment + np.random.randint(segment, size=num_segments)


def legacy_test_indices(num_frames: int, num_segments: int, new_length: int) -> np.ndarray:
    """The published centre sampler. Returns **Shape** [K], from 0."""
    if num_frames <= num_segments + new_length - 1:
        return np.zeros(num_segments, np.int64)
    segment = (num_frames - new_length + 1) / num_segments
    return (segment / 2 + segment * np.arange(num_segments)).astype(np.int64)


@TRANSFORMS.register_module()
class SampleSegments(BaseTransform):
    """Temporal segment sampling as in TDN: one frame from each of K equal parts of the video.

    Training draws a random frame per segment; testing takes the centre. With several test clips, clip c of C takes the
    frame at ``(c + 1/2) / C`` of each segment, so that every clip spans the video with the training's spacing.
    ``dense=True`` takes K frames of a window of 64 frames instead: at a random place in training, ``num_clips`` evenly
    placed windows in testing.

    Required: ``total_frames``. Added: ``frame_inds``, ``clip_len``, ``num_clips``, ``frame_interval``.

    Args:
        num_segments: K.
        new_length: Consecutive frames read at each index; a clip has ``T = K * new_length`` frames.
        num_clips: Clips per video.
        dense: Windows of 64 frames instead of segments.
        test_mode: Centres instead of random frames.
        legacy: The published sampler, number for number.

    Source: TDN, https://github.com/MCG-NJU/TDN, and ReSpike's loader derived from it.

    Differs: The published sampler repeats frame 1 where a video has fewer frames than segments (its residuals are then
    all zero; its centre sampler does so at equality too), and never reads the last ``num_frames % K`` frames in
    training. Here short videos are spread evenly and all frames can be drawn. ``legacy=True`` gives the published
    numbers.
    """

    def __init__(self, num_segments: int, new_length: int = 1, num_clips: int = 1, dense: bool = False,
                 test_mode: bool = False, legacy: bool = False) -> None:
        for name, value in (('num_segments', num_segments), ('new_length', new_length), ('num_clips', num_clips)):
            if value < 1:
                raise ValueError(f'SampleSegments: {name} must be at least 1, got {value}')
        if legacy and num_clips > 1:
            raise ValueError(f'SampleSegments: the published sampler takes one clip, got num_clips={num_clips}; '
                             'leave legacy=False for several')
        self.num_segments, self.new_length, self.num_clips = num_segments, new_length, num_clips
        self.dense, self.test_mode, self.legacy = dense, test_mode, legacy

    def starts(self, num_frames: int) -> np.ndarray:
        """The frame of each segment, before ``new_length`` is laid out. Returns **Shape** [num_clips, K]."""
        if self.dense:
            last = max(1, num_frames - DENSE_WINDOW + 1) - 1
            if self.test_mode and not self.legacy:
                first = np.linspace(0, last, self.num_clips).astype(np.int64)
            elif self.legacy:  # the published draw leaves out the last position
                first = np.array([np.random.randint(0, last) if last else 0])
            else:
                first = np.random.randint(0, last + 1, size=self.num_clips)
            return dense_indices(num_frames, self.num_segments, first)
        if self.legacy:
            sampler = legacy_test_indices if self.test_mode else legacy_train_indices
            return sampler(num_frames, self.num_segments, self.new_length)[None]
        if self.test_mode:
            phases = (np.arange(self.num_clips)[:, None] + 0.5) / self.num_clips  # [C, 1]
        else:
            phases = np.random.random((self.num_clips, self.num_segments))  # [C, K]
        return segment_indices(num_frames, self.num_segments, self.new_length, phases)

    def transform(self, results: dict) -> dict:
        num_frames = results['total_frames']
        indices = self.starts(num_frames)[..., None] + np.arange(self.new_length)  # [C, K, new_length]
        results['frame_inds'] = np.minimum(indices, num_frames - 1).reshape(-1)
        results['clip_len'] = self.num_segments * self.new_length
        results['num_clips'] = self.num_clips
        results['frame_interval'] = None
        return results

    def __repr__(self) -> str:
        return (f'SampleSegments(num_segments={self.num_segments}, new_length={self.new_length}, '
                f'num_clips={self.num_clips}, dense={self.dense}, test_mode={self.test_mode}, legacy={self.legacy})')


@TRANSFORMS.register_module()
class SampleWindows(BaseTransform):
    """Consecutive frames, as for HMDB51 and UCF101.

    Training takes one window: the sample's own where the dataset cuts videos in windows (``window_start``), else a
    random one. Testing takes every whole window that does not overlap another, so the number of clips differs from
    video to video. A video shorter than a window gives one clip, its frames spread evenly.

    Required: ``total_frames``. Optional: ``window_start``. Added: ``frame_inds``, ``clip_len``, ``num_clips``,
    ``frame_interval``.

    Args:
        clip_len: T.
        test_mode: All windows instead of one.
        max_clips: At most this many windows, evenly chosen; ``None`` takes all.

    Source: ReSpike's loader of HMDB51 and UCF101, which leaves the cutting to torchvision.

    Differs: The published loader leaves out videos shorter than a window, and counts each test window as a sample of
    its own. Here a short video gives a clip, and a test video's windows are views of one sample.
    """

    def __init__(self, clip_len: int, test_mode: bool = False, max_clips: int | None = None) -> None:
        if clip_len < 1 or (max_clips is not None and max_clips < 1):
            raise ValueError(f'SampleWindows: clip_len={clip_len} and max_clips={max_clips} must be at least 1')
        self.clip_len, self.test_mode, self.max_clips = clip_len, test_mode, max_clips

    def transform(self, results: dict) -> dict:
        num_frames = results['total_frames']
        room = num_frames - self.clip_len
        if room < 0:
            indices = segment_indices(num_frames, self.clip_len, 1, np.full((1, 1), 0.5))
        else:
            if self.test_mode:
                starts = np.arange(0, room + 1, self.clip_len)
                if self.max_clips is not None and len(starts) > self.max_clips:
                    starts = starts[segment_indices(len(starts), self.max_clips, 1, np.array([0.5]))]
            elif 'window_start' in results:
                starts = np.array([min(results['window_start'], room)])
            else:
                starts = np.random.randint(0, room + 1, size=1)
            indices = starts[:, None] + np.arange(self.clip_len)  # [C, T]
        results['frame_inds'] = indices.reshape(-1)
        results['clip_len'] = self.clip_len
        results['num_clips'] = len(indices)
        results['frame_interval'] = 1
        return results

    def __repr__(self) -> str:
        return f'SampleWindows(clip_len={self.clip_len}, test_mode={self.test_mode}, max_clips={self.max_clips})'
