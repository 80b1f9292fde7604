"""A figure in motion seen by event cameras: body, motion, cameras, picture, and the camera's pixels."""
from .body import draw_body, pose_body
from .cameras import look_at, pixels_per_mm, release_cameras
from .event_pixels import simulate_events
from .motion import MOTIONS, draw_motion
from .painter import Paint, draw_paint, paint_frames

__all__ = ['MOTIONS', 'Paint', 'draw_body', 'draw_motion', 'draw_paint', 'look_at', 'paint_frames', 'pixels_per_mm',
           'pose_body', 'release_cameras', 'simulate_events']
