from .augment import RandomChannelPermutation, RandomWrapShift
from .formatting import PackClip
from .marks import PackPerson, PersonCrop
from .person import LoadImage, PadToSquare
from .sampling import SampleSegments, SampleWindows
from .video import VideoDecode, VideoInit

__all__ = ['LoadImage', 'PackClip', 'PackPerson', 'PadToSquare', 'PersonCrop', 'RandomChannelPermutation',
           'RandomWrapShift', 'SampleSegments', 'SampleWindows', 'VideoDecode', 'VideoInit']
