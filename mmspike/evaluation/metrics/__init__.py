from .action_metric import ActionMetric
from .attribute_metric import AttributeMetric

__all__ = ['ActionMetric', 'AttributeMetric']
