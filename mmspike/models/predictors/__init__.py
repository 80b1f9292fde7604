from .action_recognizer import ActionRecognizer
from .attribute_recognizer import AttributeRecognizer
from .distiller import Distiller
from .hybrid_pose_estimator import HybridPoseEstimator, HybridState
from .pose_estimator import PoseEstimator

__all__ = ['ActionRecognizer', 'AttributeRecognizer', 'Distiller', 'HybridPoseEstimator', 'HybridState',
           'PoseEstimator']
