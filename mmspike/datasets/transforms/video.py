"""Open a video and decode the sampled frames."""
from mmcv.transforms import BaseTransform

from mmspike.registry import TRANSFORMS

from ..video_backends import BACKENDS, open_video


@TRANSFORMS.register_module()
class VideoInit(BaseTransform):
    """Open the video, or folder of frames, of a sample.

    Required: ``filename``. Optional: ``filename_tmpl`` (a folder of frames), ``video_reader`` (already open).
    Added: ``video_reader``, ``total_frames``, and ``start_index`` and ``modality`` for mmaction's transforms.

    Args:
        backend (str): ``'opencv'``, ``'decord'`` or ``'pyav'``.
        num_threads (int): Decoder threads; 1 is best with several loader workers.

    Raises:
        VideoReadError: On reading, where the video cannot be opened.
    """

    def __init__(self, backend: str = 'opencv', num_threads: int = 1) -> None:
        if backend not in BACKENDS:
            raise ValueError(f'VideoInit: backend {backend!r} is unknown; choose one of {", ".join(BACKENDS)}')
        self.backend, self.num_threads = backend, num_threads

    def transform(self, results: dict) -> dict:
        if results.get('video_reader') is None:
            results['video_reader'] = open_video(results['filename'], self.backend, results.get('filename_tmpl'),
                                                 self.num_threads)
        results['total_frames'] = len(results['video_reader'])
        results['start_index'], results['modality'] = 0, 'RGB'
        return results

    def __repr__(self) -> str:
        return f'VideoInit(backend={self.backend!r}, num_threads={self.num_threads})'


@TRANSFORMS.register_module()
class VideoDecode(BaseTransform):
    """Decode the sampled frames in one sequential pass.

    Required: ``video_reader``, ``frame_inds``. Removed: ``video_reader``. Added: ``imgs`` (uint8 RGB, one array per
    frame, **Shape** [H, W, 3]), ``img_shape`` and ``original_shape`` (H, W).

    Raises:
        VideoReadError: Where the video ends early or a frame is damaged.
    """

    def transform(self, results: dict) -> dict:
        results['imgs'] = results.pop('video_reader').read(results['frame_inds'])
        results['original_shape'] = results['img_shape'] = results['imgs'][0].shape[:2]
        return results

    def __repr__(self) -> str:
        return 'VideoDecode()'
