from .action_metric import ActionMetric

__all__ = ['ActionMetric']
