"""Datasets: a list file, a pipeline of transforms, and the decoders under them."""
from .synthetic_actions import SyntheticActions
from .video_backends import open_video
from .video_dataset import VideoDataset
from .video_reader import VideoReadError

__all__ = ['SyntheticActions', 'VideoDataset', 'VideoReadError', 'open_video']
