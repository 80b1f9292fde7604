from .action_head import ActionHead
from .attribute_head import AttributeHead
from .vtb_head import VTBHead

__all__ = ['ActionHead', 'AttributeHead', 'VTBHead']
