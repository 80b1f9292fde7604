"""Observers of a finished model."""
from mmspike.analysis.spikes import SpikeRecorder

__all__ = ['SpikeRecorder']
