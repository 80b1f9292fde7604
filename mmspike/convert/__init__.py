"""Published checkpoints -> ours: pure functions from state dict to state dict, one file per system."""
from .respike import respike
from .spikingformer import spikingformer

__all__ = ['respike', 'spikingformer']
