from .action_recognizer import ActionRecognizer
from .attribute_recognizer import AttributeRecognizer
from .distiller import Distiller
from .pose_estimator import PoseEstimator

__all__ = ['ActionRecognizer', 'AttributeRecognizer', 'Distiller', 'PoseEstimator']
