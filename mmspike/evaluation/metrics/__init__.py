from .action_metric import ActionMetric
from .attribute_metric import AttributeMetric
from .pose_metric import PoseMetric

__all__ = ['ActionMetric', 'AttributeMetric', 'PoseMetric']
