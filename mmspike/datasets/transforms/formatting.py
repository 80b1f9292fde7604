"""From a pipeline's dictionary to what a model takes."""
import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS

META_KEYS = ('filename', 'total_frames', 'original_shape', 'img_shape', 'num_clips', 'sample_idx', 'unreadable')


@TRANSFORMS.register_module()
class PackClip(BaseTransform):
    """Stack the frames of all clips and crops, and pack label and facts into a data sample.

    Frames stay uint8 and channels last: a quarter of the bytes of float32 through the worker's queue and to the device.
    View v holds clip ``v % num_clips`` of crop ``v // num_clips``: all clips of the first crop, then of the second.

    Required: ``imgs``, ``clip_len``, ``num_clips``. Optional: ``label``, ``frame_inds`` and the facts in ``META_KEYS``.
    Returns: ``inputs`` (uint8 tensor, **Shape** [V, T, H, W, 3]) and ``data_samples`` (``ActionDataSample``; its
    metainfo has ``frame_indices``, from 0, clip by clip).

    Raises:
        TypeError: Frames that are not uint8 (a pipeline that normalises; the preprocessor does).
        ValueError: Frames of different sizes, or of a number that is not a multiple of the clip length.
    """

    def transform(self, results: dict) -> dict:
        frames, clip_len = results['imgs'], results['clip_len']
        if any(frame.dtype != np.uint8 for frame in frames):
            raise TypeError(f'PackClip: frames are {frames[0].dtype}, expected uint8; leave normalising to the data '
                            'preprocessor and take Normalize out of the pipeline')
        shapes = {frame.shape for frame in frames}
        if len(shapes) > 1:
            raise ValueError(f'PackClip: {results.get("filename")} has frames of different sizes '
                             f'{sorted(shapes)[:4]}; give Resize a fixed size with keep_ratio=False')
        if len(frames) % clip_len:
            raise ValueError(f'PackClip: {len(frames)} frames are no multiple of the clip length {clip_len}')
        height, width = frames[0].shape[:2]
        clip = np.empty((len(frames), height, width, 3), np.uint8)
        np.stack(frames, out=clip)  # [V * T, H, W, 3]
        inputs = torch.from_numpy(clip.reshape(-1, clip_len, height, width, 3))  # [V, T, H, W, 3]

        sample = ActionDataSample()
        if 'label' in results:
            sample.set_gt_labels(results['label'])
        facts = {key: results[key] for key in META_KEYS if key in results}
        facts['img_shape'] = (height, width)
        if 'frame_inds' in results:
            facts['frame_indices'] = [int(index) for index in results['frame_inds']]
        sample.set_metainfo(facts)
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return 'PackClip()'
