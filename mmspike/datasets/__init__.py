"""Datasets: an annotation or list file, a pipeline of transforms, and the decoders under them."""
from .attribute_dataset import AttributeDataset
from .image_reader import ImageReadError
from .synthetic_actions import SyntheticActions
from .synthetic_pedestrians import SyntheticPedestrians
from .video_backends import open_video
from .video_dataset import VideoDataset
from .video_reader import VideoReadError

__all__ = [
    'AttributeDataset', 'ImageReadError', 'SyntheticActions', 'SyntheticPedestrians', 'VideoDataset', 'VideoReadError',
    'open_video'
]
