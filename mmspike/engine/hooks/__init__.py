"""Hooks of the Runner."""
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .attribute_groups_hook import AttributeGroupsHook
from .attribute_phrases_hook import AttributePhrasesHook
from .checkpoint_check_hook import CheckpointCheckHook
from .energy_hook import EnergyHook
from .epoch_seed_hook import EpochSeedHook
from .num_classes_hook import NumClassesHook
from .positive_ratio_hook import PositiveRatioHook
from .scale_weights_hook import ScaleWeightsHook
from .spike_monitor_hook import SpikeMonitorHook
from .visualization_hook import VisualizationHook

__all__ = ['AtomicCheckpointHook', 'AttributeGroupsHook', 'AttributePhrasesHook', 'CheckpointCheckHook', 'EnergyHook',
           'EpochSeedHook', 'NumClassesHook', 'PositiveRatioHook', 'ScaleWeightsHook', 'SpikeMonitorHook',
           'VisualizationHook']
