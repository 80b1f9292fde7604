from .augment import RandomChannelPermutation, RandomWrapShift
from .event_augment import AddNoiseEvents, CropEvents, DropEvents, FlipEvents, FlipPolarity
from .events import EventsToBins, EventsToFrames, LoadEvents, PackPose
from .formatting import PackClip
from .frame_images import LoadFrameImages
from .marks import PackPerson, PersonCrop
from .person import LoadImage, PadToSquare
from .sampling import SampleSegments, SampleWindows
from .video import VideoDecode, VideoInit

__all__ = ['AddNoiseEvents', 'CropEvents', 'DropEvents', 'EventsToBins', 'EventsToFrames', 'FlipEvents', 'FlipPolarity',
           'LoadEvents', 'LoadFrameImages', 'LoadImage', 'PackClip', 'PackPerson', 'PackPose', 'PadToSquare',
           'PersonCrop', 'RandomChannelPermutation', 'RandomWrapShift', 'SampleSegments', 'SampleWindows',
           'VideoDecode', 'VideoInit']
