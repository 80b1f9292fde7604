"""What labels and predictions are called."""
from .attribute_names import attribute_names
from .camera import camera_centre, picture_projection, project, ray_directions, triangulate
from .pose_data_sample import PoseDataSample
from .skeleton import Skeleton, load_skeleton

__all__ = ['PoseDataSample', 'Skeleton', 'attribute_names', 'camera_centre', 'load_skeleton', 'picture_projection',
           'project', 'ray_directions', 'triangulate']
