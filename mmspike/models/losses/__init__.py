from .distillation import BinaryKD, LogitKL, TextAlignmentKL
from .heatmap_mse import HeatmapMSELoss
from .weighted_bce import WeightedBCELoss

__all__ = ['BinaryKD', 'HeatmapMSELoss', 'LogitKL', 'TextAlignmentKL', 'WeightedBCELoss']
