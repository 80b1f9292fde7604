from .action_head import ActionHead

__all__ = ['ActionHead']
