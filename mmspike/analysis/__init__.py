"""Observers of a finished model."""
from mmspike.analysis.heat_map import HeatMap, HeatMapRecorder
from mmspike.analysis.spikes import SpikeRecorder

__all__ = ['HeatMap', 'HeatMapRecorder', 'SpikeRecorder']
