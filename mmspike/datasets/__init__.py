"""Datasets: an annotation or list file, a pipeline of transforms, and the decoders under them."""
from .attribute_dataset import AttributeDataset
from .dhp19_dataset import DHP19Dataset
from .event_h36m_dataset import EventH36MDataset
from .image_reader import ImageReadError
from .synthetic_actions import SyntheticActions
from .synthetic_pedestrians import SyntheticPedestrians
from .synthetic_poses import SyntheticPoses
from .video_backends import open_video
from .video_dataset import VideoDataset
from .video_reader import VideoReadError

__all__ = [
    'AttributeDataset', 'DHP19Dataset', 'EventH36MDataset', 'ImageReadError', 'SyntheticActions',
    'SyntheticPedestrians', 'SyntheticPoses', 'VideoDataset', 'VideoReadError', 'open_video'
]
