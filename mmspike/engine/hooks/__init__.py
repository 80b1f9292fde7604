"""Hooks of the Runner."""
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .checkpoint_check_hook import CheckpointCheckHook
from .epoch_seed_hook import EpochSeedHook
from .num_classes_hook import NumClassesHook
from .positive_ratio_hook import PositiveRatioHook
from .visualization_hook import VisualizationHook

__all__ = [
    'AtomicCheckpointHook', 'CheckpointCheckHook', 'EpochSeedHook', 'NumClassesHook', 'PositiveRatioHook',
    'VisualizationHook'
]
