from .action_metric import ActionMetric
from .attribute_metric import AttributeMetric
from .pose_metric import PoseMetric
from .sequence_metric import SequenceMetric

__all__ = ['ActionMetric', 'AttributeMetric', 'PoseMetric', 'SequenceMetric']
