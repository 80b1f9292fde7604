"""Events of event cameras: files of all usual formats, slices of them, and dense representations."""
from .event_array import EVENT, EventFileError, make_events, outside
from .event_file import ArrayEvents, EventFile
from .opening import FORMATS, event_streams, identify, open_events
from .representations import (
    event_counts,
    polarity_channels,
    stacked_histogram,
    three_sigma_image,
    time_surface,
    voxel_grid,
)

__all__ = [
    'EVENT', 'FORMATS', 'ArrayEvents', 'EventFile', 'EventFileError', 'event_counts', 'event_streams', 'identify',
    'make_events', 'open_events', 'outside', 'polarity_channels', 'stacked_histogram', 'three_sigma_image',
    'time_surface', 'voxel_grid'
]
