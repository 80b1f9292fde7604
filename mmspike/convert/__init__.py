"""Published checkpoints -> ours: pure functions from state dict to state dict, one file per system."""
from .respike import respike

__all__ = ['respike']
