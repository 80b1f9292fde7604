from .action_metric import ActionMetric
from .attribute_metric import AttributeMetric
from .sequence_metric import SequenceMetric

__all__ = ['ActionMetric', 'AttributeMetric', 'SequenceMetric']
