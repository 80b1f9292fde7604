from .action_head import ActionHead
from .attribute_head import AttributeHead

__all__ = ['ActionHead', 'AttributeHead']
