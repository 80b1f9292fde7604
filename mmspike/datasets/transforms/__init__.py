from .augment import RandomChannelPermutation, RandomWrapShift
from .formatting import PackClip
from .sampling import SampleSegments, SampleWindows
from .video import VideoDecode, VideoInit

__all__ = ['PackClip', 'RandomChannelPermutation', 'RandomWrapShift', 'SampleSegments', 'SampleWindows', 'VideoDecode',
           'VideoInit']
