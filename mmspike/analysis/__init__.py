"""Observers of a finished model."""
from mmspike.analysis.grad_cam import AttributeCam, response_box
from mmspike.analysis.heat_map import HeatMap, HeatMapRecorder
from mmspike.analysis.spikes import SpikeRecorder

__all__ = ['AttributeCam', 'HeatMap', 'HeatMapRecorder', 'SpikeRecorder', 'response_box']
