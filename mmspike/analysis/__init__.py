"""Observers of a finished model."""
from mmspike.analysis.heat_map import HeatMapRecorder
from mmspike.analysis.spikes import SpikeRecorder

__all__ = ['HeatMapRecorder', 'SpikeRecorder']
