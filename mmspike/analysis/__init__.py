"""Observers of a finished model."""
from mmspike.analysis.energy.metric import EnergyMetric
from mmspike.analysis.grad_cam import AttributeCam, response_box
from mmspike.analysis.heat_map import HeatMap, HeatMapRecorder
from mmspike.analysis.spike_statistics import SpikeStatistics
from mmspike.analysis.spikes import SpikeRecorder

__all__ = ['AttributeCam', 'EnergyMetric', 'HeatMap', 'HeatMapRecorder', 'SpikeRecorder', 'SpikeStatistics',
           'response_box']
